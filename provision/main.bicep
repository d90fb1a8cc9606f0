// The roads of the usage events: a custom topic, its dead letters and its subscription to the ledger's function; and an event hub with
// the archive. Two phases: without functionAppId the subscription is left out, see README.md.

@description('Region of the topic and of the dead letters, for example westeurope.')
param location string = resourceGroup().location

@description('Name of the Event Grid custom topic: 3 to 50 letters, digits or hyphens, unique in the region.')
@minLength(3)
@maxLength(50)
param topicName string

@description('Name of the storage account for dead letters: 3 to 24 lower-case letters or digits, unique in Azure.')
@minLength(3)
@maxLength(24)
param deadLetterAccountName string

@description('Object ids of the identities that may publish usage events: API Management and, with the proxy, the function app.')
param senderPrincipalIds string[]

@description('Resource id of the function app that holds usage_event_grid. Empty in the first phase, before the function is deployed.')
param functionAppId string = ''

@description('Name of the Event Hubs namespace: 6 to 50 letters, digits or hyphens, unique in Azure. Empty for no hub and no archive.')
@maxLength(50)
param hubNamespaceName string = ''

@description('Name of the event hub: EVENTHUB_NAME of the gateways and of the function app.')
param hubName string = 'usage'

@description('How many partitions the hub has, for ever.')
@minValue(1)
@maxValue(32)
param hubPartitionCount int = 8

@description('Name of the storage account for the archive: 3 to 24 lower-case letters or digits, unique in Azure. Needed with a hub.')
@maxLength(24)
param archiveAccountName string = ''

@description('Object ids of the identities that read the hub: the function app.')
param receiverPrincipalIds string[] = []

var hasHub = !empty(hubNamespaceName)

module topic 'usage_topic.bicep' = {
  name: 'usage-topic'
  params: {
    location: location
    topicName: topicName
    senderPrincipalIds: senderPrincipalIds
  }
}

module deadLetters 'dead_letters.bicep' = {
  name: 'dead-letters'
  params: {
    location: location
    accountName: deadLetterAccountName
    topicPrincipalId: topic.outputs.principalId
  }
}

module subscription 'usage_subscription.bicep' = if (!empty(functionAppId)) {
  name: 'usage-subscription'
  params: {
    topicName: topic.outputs.name
    functionAppId: functionAppId
    deadLetterAccountId: deadLetters.outputs.accountId
    deadLetterContainerName: deadLetters.outputs.containerName
  }
}

module hubNamespace 'hub_namespace.bicep' = if (hasHub) {
  name: 'hub-namespace'
  params: {
    location: location
    namespaceName: hubNamespaceName
  }
}

module archive 'usage_archive.bicep' = if (hasHub) {
  name: 'usage-archive'
  params: {
    location: location
    accountName: archiveAccountName
    namespacePrincipalId: hubNamespace!.outputs.principalId
  }
}

module hub 'usage_hub.bicep' = if (hasHub) {
  name: 'usage-hub'
  params: {
    namespaceName: hubNamespace!.outputs.name
    hubName: hubName
    partitionCount: hubPartitionCount
    archiveAccountId: archive!.outputs.accountId
    archiveContainerName: archive!.outputs.containerName
    senderPrincipalIds: union(senderPrincipalIds, [topic.outputs.principalId])
    receiverPrincipalIds: receiverPrincipalIds
  }
}

module archiveSubscription 'archive_subscription.bicep' = if (hasHub) {
  name: 'archive-subscription'
  params: {
    topicName: topic.outputs.name
    hubId: hub!.outputs.hubId
    deadLetterAccountId: deadLetters.outputs.accountId
    deadLetterContainerName: deadLetters.outputs.containerName
  }
}

@description('Where the gateway and the proxy publish: the named value tollgate-event-grid-endpoint and EVENTGRID_TOPIC_ENDPOINT.')
output topicEndpoint string = topic.outputs.endpoint

@description('EVENTHUB_CONNECTION__fullyQualifiedNamespace of the gateways and of the function app; empty without a hub.')
output hubNamespaceHost string = hasHub ? '${hubNamespaceName}.servicebus.windows.net' : ''

@description('EVENTHUB_CONSUMER_GROUP of the function app; empty without a hub.')
output hubConsumerGroup string = hasHub ? hub!.outputs.consumerGroup : ''
