"""The columns of FOCUS, by version.

Sources: the FinOps Open Cost and Usage Specification 1.0 and 1.2, https://focus.finops.org. A row
of 1.0 has the specification's names, and five more by which focus-validator 1.0.0 asks for them.
What no version has a column for is in columns of our own, which start with `x_`: the allocation
has the shape that 1.3 gives it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final, Literal

FocusVersion = Literal["1.0", "1.2"]
Cell = str | Decimal | date | None

_BOTH: Final = [
    "AvailabilityZone",
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "CommitmentDiscountCategory",
    "CommitmentDiscountId",
    "CommitmentDiscountName",
    "CommitmentDiscountStatus",
    "CommitmentDiscountType",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "ContractedUnitPrice",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "ListUnitPrice",
    "PricingCategory",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "RegionId",
    "RegionName",
    "ResourceId",
    "ResourceName",
    "ResourceType",
    "ServiceCategory",
    "ServiceName",
    "SkuId",
    "SkuPriceId",
    "SubAccountId",
    "SubAccountName",
    "Tags",
]
_VALIDATOR_NAMES: Final = {
    "ChargeType": "ChargeCategory",
    "InvoiceIssuer": "InvoiceIssuerName",
    "Provider": "ProviderName",
    "Publisher": "PublisherName",
    "ResourceID": "ResourceId",
}
_SINCE_1_2: Final = [
    "BillingAccountType",
    "CommitmentDiscountQuantity",
    "CommitmentDiscountUnit",
    "InvoiceId",
    "PricingCurrency",
    "PricingCurrencyContractedUnitPrice",
    "PricingCurrencyEffectiveCost",
    "PricingCurrencyListUnitPrice",
    "ServiceSubcategory",
    "SkuMeter",
    "SkuPriceDetails",
    "SubAccountType",
]
_OURS: Final = (
    "x_AllocatedMethodDetails",
    "x_AllocatedMethodId",
    "x_BillingCode",
    "x_CorrectedInvoiceId",
    "x_CorrectedLine",
    "x_CorrectedPeriod",
    "x_CorrectionReason",
    "x_Provenance",
    "x_RateCardVersion",
    "x_RequestCount",
    "x_Status",
    "x_Tenant",
)
COLUMNS: Final[dict[FocusVersion, tuple[str, ...]]] = {
    "1.0": (*sorted([*_BOTH, *_VALIDATOR_NAMES]), *sorted([*_OURS, "x_InvoiceId"])),
    "1.2": (*sorted([*_BOTH, *_SINCE_1_2]), *_OURS),
}


def named_for_the_validator(cells: Mapping[str, Cell]) -> dict[str, Cell]:
    """The same cells, also under the names by which the validator asks for them."""
    return {**cells, **{name: cells.get(same) for name, same in _VALIDATOR_NAMES.items()}}
