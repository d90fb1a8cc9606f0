// The event hub of the usage events, with Capture to the archive, who may send and who may read.

@description('Name of the namespace.')
param namespaceName string

@description('Name of the hub.')
param hubName string

@description('How many partitions; a Standard hub can never have more later. As many workers read at once.')
@minValue(1)
@maxValue(32)
param partitionCount int

@description('Resource id of the storage account of the archive.')
param archiveAccountId string

@description('Name of the container of the archive.')
param archiveContainerName string

@description('Object ids of the identities that may send.')
param senderPrincipalIds string[]

@description('Object ids of the identities that may read: the function app with usage_event_hub.')
param receiverPrincipalIds string[]

var eventHubsDataSender = '2b629674-e913-4c01-ae53-ef4638d8f975'
var eventHubsDataReceiver = 'a638d3c7-ab3a-418d-83e6-5f17a39d4fde'

resource namespace 'Microsoft.EventHub/namespaces@2024-01-01' existing = {
  name: namespaceName
}

resource hub 'Microsoft.EventHub/namespaces/eventhubs@2024-01-01' = {
  parent: namespace
  name: hubName
  properties: {
    partitionCount: partitionCount
    // The most of Standard, and less than the 8 days for which the ledger remembers what it has counted.
    retentionDescription: {
      cleanupPolicy: 'Delete'
      retentionTimeInHours: 168
    }
    captureDescription: {
      enabled: true
      encoding: 'Avro'
      // Audits leave out the last 30 minutes; by then a window has been written several times over.
      intervalInSeconds: 300
      sizeLimitInBytes: 314572800
      skipEmptyArchives: true
      destination: {
        name: 'EventHubArchive.AzureBlockBlob'
        identity: {
          type: 'SystemAssigned'
        }
        properties: {
          storageAccountResourceId: archiveAccountId
          blobContainer: archiveContainerName
          archiveNameFormat: '{Namespace}/{EventHub}/{PartitionId}/{Year}/{Month}/{Day}/{Hour}/{Minute}/{Second}'
        }
      }
    }
  }
}

// The ledger's own: readers of one group share its place in the hub.
resource ledger 'Microsoft.EventHub/namespaces/eventhubs/consumergroups@2024-01-01' = {
  parent: hub
  name: 'tollgate'
}

resource senders 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for principalId in senderPrincipalIds: {
    scope: hub
    name: guid(hub.id, principalId, eventHubsDataSender)
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', eventHubsDataSender)
    }
  }
]

resource receivers 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for principalId in receiverPrincipalIds: {
    scope: hub
    name: guid(hub.id, principalId, eventHubsDataReceiver)
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', eventHubsDataReceiver)
    }
  }
]

@description('Resource id of the hub.')
output hubId string = hub.id

@description('Name of the consumer group of the ledger.')
output consumerGroup string = ledger.name
