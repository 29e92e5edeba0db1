"""What OCI offers, as far as a tenancy file names it: regions with their realms, and shapes."""

from sizing.shapes import Shape, listed

_REALMS = {
    "oc1": (
        "af-casablanca-1 af-johannesburg-1 ap-batam-1 ap-chuncheon-1 ap-delhi-1 ap-hyderabad-1 "
        "ap-kulai-2 ap-melbourne-1 ap-mumbai-1 ap-osaka-1 ap-seoul-1 ap-singapore-1 "
        "ap-singapore-2 ap-sydney-1 ap-tokyo-1 ca-montreal-1 ca-toronto-1 eu-amsterdam-1 "
        "eu-frankfurt-1 eu-madrid-1 eu-madrid-3 eu-marseille-1 eu-milan-1 eu-paris-1 "
        "eu-stockholm-1 eu-turin-1 eu-zurich-1 il-jerusalem-1 me-abudhabi-1 me-dubai-1 "
        "me-jeddah-1 me-riyadh-1 mx-monterrey-1 mx-queretaro-1 sa-bogota-1 sa-santiago-1 "
        "sa-saopaulo-1 sa-valparaiso-1 sa-vinhedo-1 uk-cardiff-1 uk-london-1 us-ashburn-1 "
        "us-chicago-1 us-phoenix-1 us-saltlake-2 us-sanjose-1"
    ),
    "oc2": "us-langley-1 us-luke-1",
    "oc3": "us-gov-ashburn-1 us-gov-chicago-1 us-gov-phoenix-1",
    "oc4": "uk-gov-cardiff-1 uk-gov-london-1",
    "oc8": "ap-chiyoda-1 ap-ibaraki-1",
    "oc9": "me-dcc-muscat-1 me-ibri-1",
    "oc10": "ap-dcc-canberra-1",
    "oc14": (
        "eu-dcc-dublin-1 eu-dcc-dublin-2 eu-dcc-milan-1 eu-dcc-milan-2 eu-dcc-rating-1 "
        "eu-dcc-rating-2"
    ),
    "oc15": "ap-dcc-gazipur-1",
    "oc19": "eu-frankfurt-2 eu-madrid-2",
    "oc20": "eu-jovanovac-1",
    "oc21": "me-alrayyan-1 me-dcc-doha-1",
    "oc23": "us-somerset-1 us-thames-1",
    "oc24": "eu-crissier-1 eu-dcc-zurich-1",
    "oc26": "me-abudhabi-3 me-alain-1",
    "oc29": "me-abudhabi-2 me-abudhabi-4",
    "oc35": "ap-chuncheon-2 ap-seoul-2 ap-suwon-1",
    "oc42": "us-ashburn-2 us-newark-1",
    "oc51": "eu-budapest-1",
    "oc52": "sa-riodejaneiro-1",
}

REALM_OF_REGION = {region: realm for realm, names in _REALMS.items() for region in names.split()}
"""Region → realm, as the OCI SDK 2.189.0 knows them."""


SHAPES: dict[str, Shape] = {
    name: shape for name, shape in listed().items() if shape.jobs or shape.deployments
}
"""Name → shape, of those that Data Science takes: one table, which sizing has."""
GPU_SHAPES = {name: shape for name, shape in SHAPES.items() if shape.gpus}

RETENTION_DAYS = (30, 60, 90, 120, 150, 180)
"""Log retentions that OCI Logging takes, in days."""
