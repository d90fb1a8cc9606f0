// The road of the usage events: a custom topic, its dead letters and its subscription to the ledger's function.
// Two phases: without functionAppId the subscription is left out, see README.md.

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

@description('Where the gateway and the proxy publish: the named value tollgate-event-grid-endpoint and EVENTGRID_TOPIC_ENDPOINT.')
output topicEndpoint string = topic.outputs.endpoint
