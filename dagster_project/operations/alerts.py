"""Alerts: what somebody should hear of without looking, told once, by a log line and a web hook.

An alert is a matter of the state of an installation, not of the run that brought it about: so a run
that was killed is noticed too, and it does not matter who ran. What was told is remembered in
`<home>/alerts.json` until it no longer holds.

A web hook gets one POST for all news of a kind, a JSON object:

    schema        "walkhouse.alert/1"
    kind          one of `KINDS`
    severity      "error" or "warning"
    title         one sentence
    details       list of sentences, one for each dump, reason or step; the first twenty
    more_details  how many were left out
    text          title and details as one text, which chat programs show
    installation  the setting `name`
    release_id    what readers see now, null before the first release
    run_id        Dagster's id of the run that met it, null where that is not known
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from dagster_project.ingest.lake import LakeDump
from dagster_project.locks import exclusively
from dagster_project.release.publish import Hold
from dagster_project.replacing import replace_text
from dagster_project.words import counted

logger = logging.getLogger("walkhouse")

Severity = Literal["error", "warning"]

KINDS: Mapping[str, Severity] = {
    "landing_unreachable": "error",
    "lake_refused": "error",
    "key_refused": "error",
    "dump_failed": "error",
    "withdrawal_held": "error",
    "catalogue_failed": "error",
    "quarantine_above_tolerance": "warning",
    "dumps_stale": "warning",
    "release_refused": "error",
    "release_held": "warning",
    "run_failed": "error",
    "copy_failed": "error",
    "test": "warning",
}
"""Every kind of alert and how bad it is."""

_MEMORY = "alerts.json"
_DETAILS_SENT = 20
_DETAIL_LENGTH = 500
_TIMEOUT = (5, 10)  # seconds to connect, and to wait for an answer
_RETRIES = Retry(
    total=3,
    backoff_factor=0.5,
    status_forcelist=(429, 500, 502, 503, 504),
    allowed_methods=None,
    respect_retry_after_header=False,  # it could ask to wait for hours
    raise_on_status=False,
    redirect=0,
)


class AlertError(Exception):
    """An alert could not be posted; the message says why, and does not repeat the address."""


@dataclass(frozen=True)
class Finding:
    """Something that is worth an alert.

    Attributes:
        kind: one of `KINDS`.
        subject: what it is about.
        state: changes where it is news again.
        sentence: for people.
        run_id: of the run that met it, None where that is not known.
    """

    kind: str
    subject: str
    state: str
    sentence: str
    run_id: str | None = None


@dataclass(frozen=True)
class Alert:
    """The news of one kind."""

    kind: str
    title: str
    details: tuple[str, ...] = ()
    run_id: str | None = None

    @classmethod
    def test(cls) -> Alert:
        """An alert that says nothing but that it arrived."""
        return cls("test", _title("test", 0))

    @property
    def text(self) -> str:
        """All of it for a person, as far as it is sent."""
        left_out = len(self.details) - _DETAILS_SENT
        more = [f"… and {left_out} more"] if left_out > 0 else []
        return "\n".join([self.title, *self._sent, *more])

    @property
    def _sent(self) -> list[str]:
        return [detail[:_DETAIL_LENGTH] for detail in self.details[:_DETAILS_SENT]]

    def content(self, *, installation: str, release_id: str | None) -> dict[str, Any]:
        """What is posted."""
        return {
            "schema": "walkhouse.alert/1",
            "kind": self.kind,
            "severity": KINDS[self.kind],
            "title": self.title,
            "details": self._sent,
            "more_details": max(0, len(self.details) - _DETAILS_SENT),
            "text": f"{installation}: {self.text}",
            "installation": installation,
            "release_id": release_id,
            "run_id": self.run_id,
        }


def failed_dumps(
    failures: Mapping[date, str], signatures: Mapping[date, str], runs: Mapping[date, str]
) -> list[Finding]:
    """Dumps that could not be taken in.

    Args:
        failures: why, by dump date.
        signatures: of what lies in the landing; a dump that was delivered again is news.
        runs: id of the run that failed on the dump, as far as known.
    """
    return [
        Finding(
            "dump_failed",
            str(day),
            _digest(message, signatures.get(day, "")),
            message,
            runs.get(day),
        )
        for day, message in failures.items()
    ]


def quarantined_dumps(loaded: Mapping[date, LakeDump], *, tolerance: float) -> list[Finding]:
    """Dumps with a larger share of quarantined lines, or bytes, than is tolerated."""
    return [
        Finding(
            "quarantine_above_tolerance",
            str(day),
            dump.fingerprint,
            f"dump {day}: {dump.quarantined} are quarantined, tolerance {tolerance:.2%}",
        )
        for day, dump in loaded.items()
        if dump.quarantined_share > tolerance
    ]


def held_withdrawal(reason: str | None) -> list[Finding]:
    """That dumps left the landing which only a person can let go."""
    if reason is None:
        return []
    return [Finding("withdrawal_held", "landing", _digest(reason), reason)]


def refused_key(reason: str | None) -> list[Finding]:
    """That the key is missing by which personal data are treated, or is another one."""
    if reason is None:
        return []
    return [Finding("key_refused", "key", _digest(reason), reason)]


def failed_catalogue(reason: str | None) -> list[Finding]:
    """That the content catalogue could not be read; the lake keeps the one that it had."""
    if reason is None:
        return []
    sentence = f"content/items.ndjson: {reason}"
    return [Finding("catalogue_failed", "catalogue", _digest(reason), sentence)]


def stale_dumps(dump_dates: Iterable[date], now: datetime, *, hours: int) -> list[Finding]:
    """Whether the day of the newest dump ended too long ago.

    Args:
        dump_dates: of all dumps in the landing; what lies ahead of the clock does not count.
        now: the time, with its zone.
        hours: how long ago is too long; 0 for never.
    """
    newest = max((day for day in dump_dates if day <= now.astimezone(UTC).date()), default=None)
    if not hours or newest is None:
        return []
    ended = datetime.combine(newest + timedelta(days=1), time(), UTC)
    if now - ended <= timedelta(hours=hours):
        return []
    sentence = f"the newest dump is that of {newest}, which ended more than {hours} hours ago (UTC)"
    return [Finding("dumps_stale", "landing", str(newest), sentence)]


def refused_release(refusals: Sequence[str], run_id: str | None) -> list[Finding]:
    """Why the last build was not published, if it was refused."""
    return [
        Finding("release_refused", reason.split(":")[0], _digest(reason), reason, run_id)
        for reason in refusals
    ]


def held_release(hold: Hold | None) -> list[Finding]:
    """Whether a person rolled back, and nothing was published since."""
    if hold is None:
        return []
    return [Finding("release_held", hold.release_id, hold.at, hold.sentence)]


def alerts_of(findings: Iterable[Finding]) -> list[Alert]:
    """One alert for each kind, the worst first."""
    order = list(KINDS)
    ordered = sorted(findings, key=lambda finding: (order.index(finding.kind), finding.subject))
    alerts = []
    for kind, group in groupby(ordered, key=lambda finding: finding.kind):
        members = list(group)
        runs = sorted({finding.run_id for finding in members if finding.run_id})
        alerts.append(
            Alert(
                kind,
                _title(kind, len(members)),
                tuple(finding.sentence for finding in members),
                runs[-1] if runs else None,
            )
        )
    return alerts


def tell(
    findings: Sequence[Finding],
    looked_for: Iterable[str],
    *,
    home: Path,
    url: str,
    installation: str,
    release_id: str | None,
) -> list[Alert]:
    """Log what is news, and post what was not posted yet.

    A failure to post is logged, and the next call tries again.

    Args:
        findings: all that hold now.
        looked_for: the kinds that were looked for; what is remembered of others stays.
        home: of the installation.
        url: where to post; empty for nowhere.
        installation: its name.
        release_id: what readers see.

    Returns:
        what was news.
    """
    memory = home / _MEMORY
    now = {_key(finding) for finding in findings}
    kinds = set(looked_for)
    known = _known(memory)
    if {key for key in known if key[0] in kinds} == now and (
        not url or all(known[key] for key in now)
    ):
        return []
    with exclusively(home / "locks" / "alerts", purpose="sending alerts"):
        known = _known(memory)
        fresh = alerts_of(finding for finding in findings if _key(finding) not in known)
        for alert in fresh:
            logger.error("alert, %s: %s", alert.kind, alert.text)
        told = {key: sent for key, sent in known.items() if key in now or key[0] not in kinds}
        told = dict.fromkeys(now, False) | told
        unsent = [finding for finding in findings if not told[_key(finding)]]
        for alert in alerts_of(unsent) if url else []:
            try:
                post(alert.content(installation=installation, release_id=release_id), url)
            except AlertError as error:
                logger.error("the alert on %s could not be sent: %s", alert.kind, error)
            else:
                told |= {_key(finding): True for finding in unsent if finding.kind == alert.kind}
        _remember(memory, told)
    return fresh


def open_alerts(home: Path) -> list[str]:
    """What was told and still holds: kind, subject, and whether it was posted."""
    return [
        f"{kind}: {subject}, {'posted' if is_sent else 'not posted'}"
        for (kind, subject, _), is_sent in sorted(_known(home / _MEMORY).items())
    ]


def post(content: Mapping[str, Any], url: str) -> None:
    """Send an alert to a web hook; a few times, if the answer is that it may pass.

    Raises:
        AlertError: it was not accepted.
    """
    host = urlsplit(url).hostname
    try:
        with requests.Session() as session:
            for scheme in ("http://", "https://"):
                session.mount(scheme, HTTPAdapter(max_retries=_RETRIES))
            answer = session.post(url, json=content, timeout=_TIMEOUT, allow_redirects=False)
    except requests.RequestException as error:
        # The text of the error holds the address, which may be a secret.
        raise AlertError(f"{host} did not answer ({type(error).__name__})") from None
    if not 200 <= answer.status_code < 300:
        raise AlertError(f"{host} answered {answer.status_code} {answer.reason}")


_Key = tuple[str, str, str]


def _key(finding: Finding) -> _Key:
    return finding.kind, finding.subject, finding.state


def _known(memory: Path) -> dict[_Key, bool]:
    """Whether each finding that was told was posted as well; a file cut short tells all again."""
    try:
        told = json.loads(memory.read_text(encoding="utf-8"))
        return {(t["kind"], t["subject"], t["state"]): bool(t["is_sent"]) for t in told}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError):
        logger.warning("%s cannot be read: what holds now is told again", memory)
        return {}


def _remember(memory: Path, told: Mapping[_Key, bool]) -> None:
    rows = [
        {"kind": kind, "subject": subject, "state": state, "is_sent": is_sent}
        for (kind, subject, state), is_sent in sorted(told.items())
    ]
    replace_text(memory, json.dumps(rows, indent=1))


def _title(kind: str, count: int) -> str:
    dumps = counted(count, "dump")
    return {
        "landing_unreachable": "the landing cannot be listed",
        "lake_refused": "the lake is of another version of Walkhouse; nothing is taken in or built",
        "key_refused": "personal data need the key of this home; nothing is taken in or built",
        "dump_failed": f"{dumps} could not be taken in",
        "withdrawal_held": "many dumps left the landing at once; nothing is changed or published",
        "catalogue_failed": "the content catalogue could not be read; the one before is kept",
        "quarantine_above_tolerance": f"too many lines of {dumps} are quarantined",
        "dumps_stale": "no new dump arrives",
        "release_refused": "the new release is refused; readers keep the one before",
        "release_held": "readers see an earlier release: somebody rolled back",
        "run_failed": "a run failed",
        "copy_failed": "a copy of the release could not be sent",
        "test": "a test: alerts of this installation arrive here",
    }[kind]


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
