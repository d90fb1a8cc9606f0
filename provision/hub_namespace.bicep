// The Event Hubs namespace. Its own identity writes the archive, so it is there before the archive is.

@description('Region of the namespace.')
param location string

@description('Name of the namespace.')
param namespaceName string

resource namespace 'Microsoft.EventHub/namespaces@2024-01-01' = {
  name: namespaceName
  location: location
  // Standard is the least that has Capture, and events of up to 1 MB.
  sku: {
    name: 'Standard'
    tier: 'Standard'
    capacity: 1
  }
  // Writes the archive.
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    // No access keys: whoever sends or reads has an identity and a role.
    disableLocalAuth: true
    minimumTlsVersion: '1.2'
    // A throughput unit takes 1,000 events a second; what is refused meanwhile waits in the gateways' journals.
    isAutoInflateEnabled: true
    maximumThroughputUnits: 10
  }
}

@description('Name of the namespace.')
output name string = namespace.name

@description('Object id of the namespace\'s own identity.')
output principalId string = namespace.identity.principalId
