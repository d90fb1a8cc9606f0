// The custom topic that usage events v1 are published to, and who may publish.

@description('Region of the topic.')
param location string

@description('Name of the topic.')
param topicName string

@description('Object ids of the identities that may publish.')
param senderPrincipalIds string[]

var eventGridDataSender = 'd5a91429-5739-47e2-a06b-3470a27159e7'

resource topic 'Microsoft.EventGrid/topics@2025-02-15' = {
  name: topicName
  location: location
  // Writes the dead letters.
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    // Fixed at creation: a topic cannot change its schema later.
    inputSchema: 'CloudEventSchemaV1_0'
    // No access keys: whoever publishes has an identity and the role below.
    disableLocalAuth: true
    minimumTlsVersionAllowed: '1.2'
  }
}

resource senders 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for principalId in senderPrincipalIds: {
    scope: topic
    name: guid(topic.id, principalId, eventGridDataSender)
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', eventGridDataSender)
    }
  }
]

@description('Name of the topic.')
output name string = topic.name

@description('Where events are published.')
output endpoint string = topic.properties.endpoint

@description('Object id of the topic\'s own identity.')
output principalId string = topic.identity.principalId
