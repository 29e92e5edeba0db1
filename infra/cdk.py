"""The one door to CDKTF: every other module takes these names from here.

CDKTF was archived in December 2025 and lives on as CDK Terrain (package ``cdktn``) with the same
classes. ``TUNESTACK_CDK=cdktn`` selects the successor; the synthesized JSON is the same.
"""

import os
from typing import TYPE_CHECKING

# jsii prints a nine-line banner for each Node release past its end of life; 20 is still supported
# by cdktf itself.
os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")

CDK = os.environ.get("TUNESTACK_CDK", "cdktf")
if CDK not in ("cdktf", "cdktn"):
    raise SystemExit(f"TUNESTACK_CDK: found {CDK!r}; allowed: cdktf (the default), cdktn")

if TYPE_CHECKING or CDK == "cdktf":
    import cdktf as toolkit
else:
    import cdktn as toolkit

App = toolkit.App
Fn = toolkit.Fn
IResolvable = toolkit.IResolvable
ITerraformDependable = toolkit.ITerraformDependable
LocalBackend = toolkit.LocalBackend
TerraformBackend = toolkit.TerraformBackend
TerraformDataSource = toolkit.TerraformDataSource
TerraformOutput = toolkit.TerraformOutput
TerraformProvider = toolkit.TerraformProvider
TerraformProviderGeneratorMetadata = toolkit.TerraformProviderGeneratorMetadata
TerraformRemoteState = toolkit.TerraformRemoteState
TerraformResource = toolkit.TerraformResource
TerraformResourceLifecycle = toolkit.TerraformResourceLifecycle
TerraformStack = toolkit.TerraformStack

__all__ = [
    "App",
    "Fn",
    "IResolvable",
    "ITerraformDependable",
    "LocalBackend",
    "TerraformBackend",
    "TerraformDataSource",
    "TerraformOutput",
    "TerraformProvider",
    "TerraformProviderGeneratorMetadata",
    "TerraformRemoteState",
    "TerraformResource",
    "TerraformResourceLifecycle",
    "TerraformStack",
    "toolkit",
]
