// Where Event Hubs Capture keeps every usage event: the archive that audits read and that the ledger can be rebuilt from.

@description('Region of the storage account.')
param location string

@description('Name of the storage account.')
param accountName string

@description('Object id of the namespace\'s identity, which writes the archive.')
param namespacePrincipalId string

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
  name: 'usage-archive'
  properties: {
    publicAccess: 'None'
  }
}

resource writer 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account
  name: guid(account.id, namespacePrincipalId, storageBlobDataContributor)
  properties: {
    principalId: namespacePrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', storageBlobDataContributor)
  }
}

@description('Resource id of the storage account.')
output accountId string = account.id

@description('Name of the container of the archive.')
output containerName string = container.name
