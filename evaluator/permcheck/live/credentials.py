"""Sign in to Microsoft Entra. Secrets stay inside the credential of azure-identity."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from permcheck.errors import LiveError
from permcheck.live.clouds import Cloud
from permcheck.live.errors import missing_extra
from permcheck.live.progress import Progress, Silent

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

Way = Literal["default", "device-code", "azure-cli", "managed-identity", "certificate"]
TAKES: Final = MappingProxyType(
    {
        "default": (),
        "device-code": ("tenant", "client"),
        "azure-cli": ("tenant",),
        "managed-identity": ("client",),
        "certificate": ("tenant", "client", "certificate"),
    }
)
"""What each way makes use of."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """How to sign in, and as what."""

    way: Way = "default"
    tenant: str | None = None
    client: str | None = None
    """Application id of an app registration, or of a user-assigned managed identity."""
    certificate: Path | None = None
    password: str | None = field(default=None, repr=False)


def credential_for(sign_in: SignIn, cloud: Cloud, progress: Progress) -> TokenCredential:
    """Make a credential; nobody is asked yet. Raises LiveError."""
    if sign_in.way not in get_args(Way):
        message = f"`{sign_in.way}` is no way to sign in"
        raise LiveError(message, "use one of " + ", ".join(get_args(Way)))
    _complete(sign_in, progress)
    try:
        return _make(sign_in, cloud, progress)
    except ImportError:
        failure = missing_extra("signing in", "live")
    except (ValueError, OSError):  # a certificate that can't be read; the text may name more than a path
        failure = _unusable(sign_in)
    raise failure


def _complete(sign_in: SignIn, progress: Progress) -> None:
    """Check that what a way needs is there. Raises LiveError."""
    needs: dict[str, tuple[tuple[str, object], ...]] = {
        "device-code": (("the client id of an app registration", sign_in.client),),
        "certificate": (
            ("the tenant id", sign_in.tenant),
            ("the client id of an app registration", sign_in.client),
            ("the file of the certificate", sign_in.certificate),
        ),
    }
    lacks = [what for what, value in needs.get(sign_in.way, ()) if not value]
    if lacks:
        raise LiveError(f"`{sign_in.way}` needs " + " and ".join(lacks), "say it, or sign in another way")
    given = {"tenant": sign_in.tenant, "client": sign_in.client, "certificate": sign_in.certificate}
    useless = [what for what, value in given.items() if value and what not in TAKES[sign_in.way]]
    if useless:
        raise LiveError(f"`{sign_in.way}` takes no {useless[0]}", "leave it out, or sign in another way")
    if sign_in.way == "device-code" and type(progress) is Silent:
        raise LiveError("nobody would see the code of `device-code`", "pass a progress, or sign in another way")


def _make(sign_in: SignIn, cloud: Cloud, progress: Progress) -> TokenCredential:
    from azure import identity

    authority: dict[str, Any] = {"authority": cloud.authority}
    tenant: dict[str, Any] = {"tenant_id": sign_in.tenant} if sign_in.tenant else {}
    client: dict[str, Any] = {"client_id": sign_in.client} if sign_in.client else {}
    match sign_in.way:
        case "device-code":

            def show(uri: str, code: str, _until: object) -> None:
                progress.tell(f"To sign in, open {uri} in a browser and enter the code {code}")

            return identity.DeviceCodeCredential(prompt_callback=show, **client, **tenant, **authority)
        case "azure-cli":
            return identity.AzureCliCredential(**tenant)
        case "managed-identity":
            return identity.ManagedIdentityCredential(**client)
        case "certificate":
            file, password = str(sign_in.certificate), sign_in.password
            return identity.CertificateCredential(
                str(sign_in.tenant), str(sign_in.client), file, password=password, **authority
            )
        case _:
            return identity.DefaultAzureCredential(**authority)


def _unusable(sign_in: SignIn) -> LiveError:
    if sign_in.way == "certificate":
        message = f"the certificate `{sign_in.certificate}` can't be used"
        return LiveError(message, "it must be a PEM or PFX file with its private key, and the password must fit")
    return LiveError(f"`{sign_in.way}` can't be set up", "look at the tenant and client ids")
