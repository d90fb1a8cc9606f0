// The policies in an API Management service that is there already: named values, fragments, the API, its policy, and what is logged of it.

@description('Name of the API Management service, in this resource group.')
param serviceName string

@description('What stands behind the gateway: the Azure OpenAI pools, or the proxy.')
@allowed(['api-direct', 'api-with-proxy'])
param topology string

@description('The named values of README.md, but for tollgate-proxy-key. Those that one topology alone reads may be left out with the other.')
type NamedValues = {
  'tollgate-backend-id': string?
  'tollgate-billing-codes': string
  'tollgate-content-safety-backend-id': string
  'tollgate-deployments': string
  'tollgate-embeddings-backend-id': string
  'tollgate-entra-audience': string
  'tollgate-entra-openid-config': string
  'tollgate-event-grid-endpoint': string
  'tollgate-gateway-id': string
  'tollgate-keys': string
  'tollgate-low-priority-tenants': string
  'tollgate-low-tokens-per-minute': string
  'tollgate-proxy-url': string?
  'tollgate-ptu-backend-id': string?
  'tollgate-ptu-deployments': string?
  'tollgate-tenants': string
  'tollgate-tokens-per-minute': string
  'tollgate-tokens-per-month': string
  'tollgate-unknown-billing-code': string
}

@description('The named values by name; a missing one is told before anything is deployed.')
param namedValues NamedValues

@description('Id of the Key Vault secret that holds tollgate-proxy-key; the service\'s identity reads it. Empty without the proxy.')
param proxyKeySecretId string = ''

@description('Whether API Management asks for a subscription key. Without, callers are known by tollgate-keys or by Entra.')
param subscriptionRequired bool

var billingParameters = ['username', 'companyName', 'billingCode']
var keyParameters = ['api-key', 'subscription-key']

var fragmentsOfBoth = {
  'tollgate-answer': loadTextContent('fragments/tollgate-answer.xml')
  'tollgate-body': loadTextContent('fragments/tollgate-body.xml')
  'tollgate-cache-lookup': loadTextContent('fragments/tollgate-cache-lookup.xml')
  'tollgate-cache-store': loadTextContent('fragments/tollgate-cache-store.xml')
  'tollgate-caller': loadTextContent('fragments/tollgate-caller.xml')
  'tollgate-claims': loadTextContent('fragments/tollgate-claims.xml')
  'tollgate-clean-headers': loadTextContent('fragments/tollgate-clean-headers.xml')
  'tollgate-content-safety': loadTextContent('fragments/tollgate-content-safety.xml')
  'tollgate-deployment': loadTextContent('fragments/tollgate-deployment.xml')
  'tollgate-emit-event-grid': loadTextContent('fragments/tollgate-emit-event-grid.xml')
  'tollgate-error': loadTextContent('fragments/tollgate-error.xml')
  'tollgate-event': loadTextContent('fragments/tollgate-event.xml')
  'tollgate-payer': loadTextContent('fragments/tollgate-payer.xml')
  'tollgate-priority': loadTextContent('fragments/tollgate-priority.xml')
  'tollgate-refuse': loadTextContent('fragments/tollgate-refuse.xml')
  'tollgate-route': loadTextContent('fragments/tollgate-route.xml')
  'tollgate-token-limit': loadTextContent('fragments/tollgate-token-limit.xml')
  'tollgate-token-metric': loadTextContent('fragments/tollgate-token-metric.xml')
  'tollgate-trace': loadTextContent('fragments/tollgate-trace.xml')
  'tollgate-usage': loadTextContent('fragments/tollgate-usage.xml')
}
var fragmentsOfDirect = {
  'tollgate-backend': loadTextContent('fragments/tollgate-backend.xml')
  'tollgate-backend-auth': loadTextContent('fragments/tollgate-backend-auth.xml')
  'tollgate-served-only': loadTextContent('fragments/tollgate-served-only.xml')
  'tollgate-stream-usage': loadTextContent('fragments/tollgate-stream-usage.xml')
}
var fragmentsOfProxy = {
  'tollgate-forward-claims': loadTextContent('fragments/tollgate-forward-claims.xml')
  'tollgate-proxy-auth': loadTextContent('fragments/tollgate-proxy-auth.xml')
}

resource service 'Microsoft.ApiManagement/service@2024-05-01' existing = {
  name: serviceName
}

resource values 'Microsoft.ApiManagement/service/namedValues@2024-05-01' = [
  for value in items(namedValues): {
    parent: service
    name: value.key
    properties: {
      displayName: value.key
      value: value.value
    }
  }
]

resource proxyKey 'Microsoft.ApiManagement/service/namedValues@2024-05-01' = if (!empty(proxyKeySecretId)) {
  parent: service
  name: 'tollgate-proxy-key'
  properties: {
    displayName: 'tollgate-proxy-key'
    secret: true
    keyVault: {
      secretIdentifier: proxyKeySecretId
    }
  }
}

resource fragments 'Microsoft.ApiManagement/service/policyFragments@2024-05-01' = [
  for fragment in items(union(fragmentsOfBoth, topology == 'api-direct' ? fragmentsOfDirect : fragmentsOfProxy)): {
    parent: service
    name: fragment.key
    properties: {
      format: 'xml'
      value: fragment.value
    }
    dependsOn: [values, proxyKey]
  }
]

resource api 'Microsoft.ApiManagement/service/apis@2024-05-01' = {
  parent: service
  name: 'tollgate'
  properties: {
    displayName: 'Tollgate'
    path: 'openai'
    protocols: ['https']
    format: 'openapi'
    value: loadTextContent('openapi.yaml')
    subscriptionRequired: subscriptionRequired
    subscriptionKeyParameterNames: {
      header: 'api-key'
      query: 'api-key'
    }
  }
}

resource policy 'Microsoft.ApiManagement/service/apis/policies@2024-05-01' = {
  parent: api
  name: 'policy'
  properties: {
    format: 'xml'
    value: topology == 'api-direct' ? loadTextContent('api-direct.xml') : loadTextContent('api-with-proxy.xml')
  }
  dependsOn: [fragments]
}

resource azureMonitor 'Microsoft.ApiManagement/service/loggers@2024-05-01' = {
  parent: service
  name: 'azuremonitor'
  properties: {
    loggerType: 'azureMonitor'
    isBuffered: false
  }
}

// Every call, for the backfill; no body, which would hold streams back; no prompt; and of billing parameters and keys no value.
resource diagnostics 'Microsoft.ApiManagement/service/apis/diagnostics@2024-06-01-preview' = {
  parent: api
  name: 'azuremonitor'
  properties: {
    loggerId: azureMonitor.id
    alwaysLog: 'allErrors'
    sampling: {
      samplingType: 'fixed'
      percentage: 100
    }
    largeLanguageModel: {
      logs: 'enabled'
    }
    frontend: {
      request: {
        body: {
          bytes: 0
        }
        dataMasking: {
          queryParams: [for name in concat(billingParameters, keyParameters): { value: name, mode: 'Mask' }]
        }
      }
      response: {
        body: {
          bytes: 0
        }
      }
    }
  }
}
