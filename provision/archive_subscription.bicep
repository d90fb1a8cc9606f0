// Brings what is published to the topic into the event hub too, so that the archive has every event. The ledger counts one that comes
// by both ways once.

@description('Name of the topic of the usage events.')
param topicName string

@description('Resource id of the event hub.')
param hubId string

@description('Resource id of the storage account of the dead letters.')
param deadLetterAccountId string

@description('Name of the container of the dead letters.')
param deadLetterContainerName string

resource topic 'Microsoft.EventGrid/topics@2025-02-15' existing = {
  name: topicName
}

resource archive 'Microsoft.EventGrid/topics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'usage-archive'
  properties: {
    eventDeliverySchema: 'CloudEventSchemaV1_0'
    deliveryWithResourceIdentity: {
      identity: {
        type: 'SystemAssigned'
      }
      destination: {
        endpointType: 'EventHub'
        properties: {
          resourceId: hubId
          // As the gateway does it: one tenant's events are in one partition.
          deliveryAttributeMappings: [
            {
              name: 'PartitionKey'
              type: 'Dynamic'
              properties: {
                sourceField: 'data.tenant'
              }
            }
          ]
        }
      }
    }
    filter: {
      includedEventTypes: [
        'tollgate.usage.v1'
      ]
    }
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
