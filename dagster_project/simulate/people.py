"""The people of the company: who they are, where they sit, when they work.

A person is computed from the seed and a number, so that any shard can meet anyone without a list.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from dagster_project.simulate.items import escaped

_MASK = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Device:
    """A browser on a computer at a site.

    Attributes:
        utc_offset_minutes: east-positive (India +330); the player sends the opposite sign.
        json: the part of a player line from `wm.platform` to the end of `env`, around the
            person's own `userVars`: two pieces.
    """

    browser: str
    os: str
    is_mobile: bool
    utc_offset_minutes: int
    language: str
    site: str
    json: tuple[str, str]


@dataclass(frozen=True, slots=True)
class User:
    """A person.

    Attributes:
        user_id: the identifier after log-in.
        anonymous_id: the one that the browser holds before.
        main_system: index of the system that they mostly use.
    """

    index: int
    user_id: str
    anonymous_id: str
    main_system: int
    name: str
    role: str
    type: str
    status: str
    info: str
    device: Device
    user_vars: str


_SITES = (
    ("Berlin", 60, "German"),
    ("London", 0, ""),
    ("Bengaluru", 330, ""),
    ("Osaka", 540, "Japanese"),
    ("Boston", -300, ""),
    ("Lyon", 60, "French"),
    ("Recife", -180, "Portuguese"),
    ("Seattle", -480, ""),
)
_COMPUTERS = (
    ("Chrome", "145.0", "Windows", "11", 1920, 1080, False),
    ("Chrome", "145.0", "Windows", "10", 1280, 720, False),
    ("Edge", "145.0", "Windows", "11", 1536, 864, False),
    ("Chrome", "144.0", "macOS", "15.3", 1512, 982, False),
    ("Safari", "18.3", "macOS", "15.3", 1440, 900, False),
    ("Firefox", "136.0", "Linux", "", 1920, 1080, False),
    ("Chrome", "145.0", "Android", "15", 412, 915, True),
)
_POSTS = (
    ("Sales Representative", "Sales"),
    ("Account Manager", "Sales"),
    ("Accountant", "Finance"),
    ("Recruiter", "People"),
    ("Engineer", "Product"),
    ("Team Lead", "Product"),
    ("Support Agent", "Service"),
    ("Office Manager", "Operations"),
)
_FIRST_NAMES = ("Aiko", "Ben", "Chloe", "Dilip", "Ewa", "Femi", "Grace", "Hugo", "Ines", "João")
_LAST_NAMES = ("Abe", "Brandt", "Costa", "Dubois", "Evans", "Fischer", "Gupta", "Hale", "Ito")


def _device(
    site: tuple[str, int, str], computer: tuple[str, str, str, str, int, int, bool]
) -> Device:
    city, offset, language = site
    browser, browser_version, os, os_version, width, height, is_mobile = computer
    # The key is missing where the language of the player was not set.
    wm = f'"platform":1,"language":"{language}",' if language else '"platform":1,'
    env = (
        f'}},"env":{{"browser":{{"name":"{browser}","version":"{browser_version}"}},'
        f'"os":{{"name":"{os}","version":"{os_version}"}},'
        f'"screen":{{"height":{height},"width":{width}}},'
        f'"mobile":{"true" if is_mobile else "false"},"timezone":{-offset}}},"ctx":{{"location":{{'
    )
    return Device(browser, os, is_mobile, offset, language, city, (wm, env))


_DEVICES = tuple(_device(site, computer) for site in _SITES for computer in _COMPUTERS)


def mixed(number: int) -> int:
    """64 well-mixed bits of a number (the finaliser of SplitMix64)."""
    number = (number + 0x9E3779B97F4A7C15) & _MASK
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & _MASK
    return number ^ (number >> 31)


def comes_to_work(seed: int, index: int, random_number: float) -> bool:
    """Whether a person uses a system on a day: on 35 to 95 % of their days, by habit."""
    return random_number < 0.35 + (mixed(seed * 31 + index) & 255) / 425


def hashed(user_id: str) -> str:
    """The identifier of a person in a system that hashes them: 64 hexadecimal digits."""
    return sha256(user_id.encode()).hexdigest()


def user(seed: int, index: int, systems: int) -> User:
    """Person number `index` of the company `seed`."""
    bits = mixed((seed * 0x9E3779B97F4A7C15 + index) & _MASK)
    more = mixed(bits)
    device = _DEVICES[bits % len(_DEVICES)]
    role, department = _POSTS[(bits >> 8) % len(_POSTS)]
    first = _FIRST_NAMES[(bits >> 16) % len(_FIRST_NAMES)]
    last = _LAST_NAMES[(bits >> 24) % len(_LAST_NAMES)]
    # Customers set these properties, or do not: empty strings are common.
    name = f"{first} {last}" if more & 3 else ""
    kind = "contractor" if more & 28 == 28 else "employee"
    status = "active" if more & 32 else ""
    info = f"{department}; {device.site}"
    wm, env = device.json
    return User(
        index=index,
        user_id=f"u-{index}",
        anonymous_id=_guid(bits, more),
        main_system=(bits >> 40) % systems,
        name=name,
        role=role,
        type=kind,
        status=status,
        info=info,
        device=device,
        user_vars=f'{wm}"userVars":{{"name":{escaped(name)},"role":"{role}","type":"{kind}",'
        f'"status":"{status}","info":"{info}"}}{env}',
    )


def _guid(high: int, low: int) -> str:
    text = f"{high:016x}{low:016x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"
