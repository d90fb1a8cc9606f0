// Where Event Grid puts a usage event that it could not deliver for a day. A dead letter is usage that is not yet on any statement.

@description('Region of the storage account.')
param location string

@description('Name of the storage account.')
param accountName string

@description('Object id of the topic\'s identity, which writes the dead letters.')
param topicPrincipalId string

var storageBlobDataContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: accountName
  location: location
  kind: 'StorageV2'
  sku: {
    name: 'Standard_ZRS'
  }
  properties: {
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' = {
  parent: account
  name: 'default'
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = {
  parent: blobs
  name: 'usage-dead-letters'
  properties: {
    publicAccess: 'None'
  }
}

resource writer 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  // On the account, which holds nothing else: Event Grid documents the role there.
  scope: account
  name: guid(account.id, topicPrincipalId, storageBlobDataContributor)
  properties: {
    principalId: topicPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', storageBlobDataContributor)
  }
}

@description('Resource id of the storage account.')
output accountId string = account.id

@description('Name of the container of the dead letters.')
output containerName string = container.name
