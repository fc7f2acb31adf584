"""`goplot keys`: which keys the farmer has, and how it gets its own; the words are seen by no one.

They go from the terminal to the standard input of Chia's command: they are in no argument, no
environment, no file and no log, and Chia keeps them in its keyring.
"""

import getpass
import json
import subprocess
import sys
import warnings
from dataclasses import dataclass
from typing import Any

from goplot.host.chia_command import ask_chia, owner_of
from goplot.host.settings import ChiaSettings, Settings

#: How many words BIP-39 allows.
_WORDS = (12, 15, 18, 21, 24)
_FARMER = {
    True: "it has loaded its keys",
    False: "it has no keys that it can use",
    None: "unknown; does it run?",
}
_UNITS = ("chia-farmer.service", "chia-wallet.service")


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the keyring, as Chia shows it; the public keys are None without a private key."""

    fingerprint: int
    farmer_public_key: str | None
    pool_public_key: str | None
    label: str = ""

    @property
    def farms(self) -> bool:
        """Whether the farmer can use it."""
        return self.farmer_public_key is not None


@dataclass(frozen=True, slots=True)
class Keys:
    """The keyring. `loaded`: whether the farmer has loaded its keys; None when that is unknown."""

    keys: tuple[Key, ...]
    loaded: bool | None = None

    @property
    def usable(self) -> bool:
        """Whether a farmer can farm with them."""
        return any(key.farms for key in self.keys)


def read_keys(settings: Settings) -> Keys:
    """Ask Chia for the keys of the keyring, and the farmer. Raises OSError, AccountError."""
    output = ask_chia(settings.chia, ("keys", "show", "--json"))
    return Keys(parse_keys(output), _loaded(settings))


def parse_keys(output: str) -> tuple[Key, ...]:
    """The keys in what `chia keys show --json` prints. Raises OSError when it is something else.

    Chia prints warnings before it, each in a line.
    """
    for line in output.splitlines():
        if line.startswith("{"):
            try:
                entries = json.loads(line)["keys"]
                return tuple(
                    Key(
                        int(entry["fingerprint"]),
                        entry["farmer_pk"],
                        entry["pool_pk"],
                        str(entry.get("label") or ""),
                    )
                    for entry in entries
                )
            except (ValueError, TypeError, KeyError) as error:
                raise OSError(f"chia keys show is not understood: {error}") from error
    raise OSError("chia keys show printed no keys: run goplot chia keys show for the reason")


def _loaded(settings: Settings) -> bool | None:
    if settings.farmer_collector is None:
        return None
    from goplot.people.farm_samples import read_farm

    try:
        value = read_farm(settings).value("chia_farmer_keys_loaded")
    except OSError:
        return None
    return None if value is None else bool(value)


def keys_document(found: Keys) -> dict[str, Any]:
    """The keys for programs: all of it is public."""
    return {
        "keys": [
            {
                "fingerprint": key.fingerprint,
                "label": key.label,
                "farmer_public_key": key.farmer_public_key,
                "pool_public_key": key.pool_public_key,
            }
            for key in found.keys
        ],
        "farmer_has_loaded": found.loaded,
        "next": next_step(found),
    }


def keys_text(found: Keys) -> str:
    """The keys for people, and what is next."""
    parts = []
    for key in found.keys:
        label = f" ({key.label})" if key.label else ""
        parts.append(
            f"fingerprint        {key.fingerprint}{label}\n"
            f"farmer public key  {key.farmer_public_key or 'none: there is no private key'}\n"
            f"pool public key    {key.pool_public_key or 'none'}"
        )
    if not found.keys:
        parts.append("the keyring is empty")
    parts.append(f"the farmer: {_FARMER[found.loaded]}")
    parts.append(f"next: {next_step(found)}")
    return "\n\n".join(parts)


def next_step(found: Keys) -> str:
    """What the owner does next."""
    if not found.usable:
        return (
            "sudo goplot keys add reads your mnemonic. For a new one: sudo goplot chia keys "
            "generate, then write down what sudo goplot chia keys show --show-mnemonic-seed prints"
        )
    if found.loaded is False:
        return "systemctl restart chia-farmer chia-wallet, so that they load the keys"
    return (
        "a pool: sudo goplot chia plotnft show prints the contract address for "
        "goplot_pool_contract_address; for solo plots, the pool public key is "
        "goplot_pool_public_key. Then goplot farm shows whether it farms"
    )


def add_key(settings: Settings) -> str:
    """Take words from the terminal and give them to Chia. Returns what was done, for people.

    Raises OSError and ValueError, whose texts hold no word, and AccountError.
    """
    owner_of(settings.chia)
    before = {key.fingerprint for key in parse_keys(_show(settings.chia))}
    words = read_words()
    # Chia exits with 0 for words that it refuses; only the keyring shows it.
    ask_chia(settings.chia, ("keys", "add", "--label", ""), f"{words}\n")
    keys = parse_keys(_show(settings.chia))
    added = [key.fingerprint for key in keys if key.fingerprint not in before and key.farms]
    if not added:
        raise ValueError(
            "Chia added no key: a word is misspelt, missing or misplaced, or the key is there "
            "already (goplot keys)"
        )
    return f"added the key with fingerprint {added[0]}; {_restart()}"


def _show(chia: ChiaSettings) -> str:
    return ask_chia(chia, ("keys", "show", "--json"))


def read_words() -> str:
    """The words that a person types, without echo. Raises ValueError, OSError without a terminal.

    getpass would read them with echo where there is no terminal: that is refused.
    """
    if not sys.stdin.isatty():
        raise OSError("the words are typed at a terminal, and here is none: use ssh -t")
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            text = getpass.getpass("Your words, in one line with spaces (nothing is shown): ")
        except getpass.GetPassWarning:
            raise OSError("this terminal can't hide what is typed: use another one") from None
        except EOFError:
            raise OSError("no words were typed") from None
    words = text.lower().split()
    if len(words) not in _WORDS:
        raise ValueError(f"these are {len(words)} words; a mnemonic has 24, or 12, 15, 18 or 21")
    return " ".join(words)


def _restart() -> str:
    """Let farmer and wallet load the key: those that run restart."""
    done = subprocess.run(
        ["systemctl", "try-restart", *_UNITS], check=False, capture_output=True, text=True
    )
    if done.returncode:
        return "restart Chia's farmer and wallet, so that they load it"
    return "farmer and wallet were restarted to load it. goplot keys shows it"
