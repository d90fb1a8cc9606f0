// Delivers every usage event v1 to the ledger's function. The function must be deployed before this is.

@description('Name of the topic of the usage events.')
param topicName string

@description('Resource id of the function app that holds usage_event_grid.')
param functionAppId string

@description('Resource id of the storage account of the dead letters.')
param deadLetterAccountId string

@description('Name of the container of the dead letters.')
param deadLetterContainerName string

resource topic 'Microsoft.EventGrid/topics@2025-02-15' existing = {
  name: topicName
}

resource usage 'Microsoft.EventGrid/topics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'usage-event-grid'
  properties: {
    eventDeliverySchema: 'CloudEventSchemaV1_0'
    destination: {
      endpointType: 'AzureFunction'
      properties: {
        resourceId: '${functionAppId}/functions/usage_event_grid'
        // A batch is acknowledged as a whole: one bad event would bring the good ones back again.
        maxEventsPerBatch: 1
      }
    }
    filter: {
      includedEventTypes: [
        'tollgate.usage.v1'
      ]
    }
    // The most that Event Grid offers: 30 attempts within a day.
    retryPolicy: {
      maxDeliveryAttempts: 30
      eventTimeToLiveInMinutes: 1440
    }
    deadLetterWithResourceIdentity: {
      identity: {
        type: 'SystemAssigned'
      }
      deadLetterDestination: {
        endpointType: 'StorageBlob'
        properties: {
          resourceId: deadLetterAccountId
          blobContainerName: deadLetterContainerName
        }
      }
    }
  }
}
