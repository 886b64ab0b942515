"""The ActionBot: chats, and the conversations in them (data-dictionary.md).

A stretch begins with an opening event and ends with a closing one, or before the next opening one.
What lies outside of any is a stretch too, so that no event is lost, but no chat or conversation.
"""

from typing import Any

from tests.reference.events import Row
from tests.reference.rows import SESSION, between, first_time, grouped, held, known_as, latest

ITEM_TYPES = ("ActionBot", "ActionBot Conversation", "ActionBot Node")


def actionbot_events(events: list[Row]) -> list[Row]:
    """The events of ActionBots, conversations and nodes, each in its chat and conversation.

    Adds `chat_number` and `is_in_chat`, and for conversations and nodes `conversation_id`,
    `conversation_name`, `conversation` (what tells it from others), `conversation_number` and
    `is_in_conversation`.
    """
    own = [event | _conversation(event) for event in events if event["item_type"] in ITEM_TYPES]
    for _, group in grouped(own, *SESSION):
        _number(group, "chat", opens="Chat Opened", closes="Chat Closed")
    of_conversations = [event for event in own if event["item_type"] != "ActionBot"]
    for _, group in grouped(of_conversations, *SESSION, "conversation"):
        _number(group, "conversation", opens="Conversation Started", closes="Conversation Ended")
    return own


def chats(events: list[Row], fct_sessions: list[Row]) -> list[Row]:
    """One row per chat, and per stretch of events outside of any."""
    ends = {tuple(row[column] for column in SESSION): row["ended_at"] for row in fct_sessions}
    rows = []
    for key, session in grouped(actionbot_events(events), *SESSION):
        stretches = [number | {"group": group} for number, group in grouped(session, "chat_number")]
        stretches.sort(key=lambda each: each["chat_number"])
        openings = [first_time(each["group"], "ActionBot: Chat Opened") for each in stretches]
        for each, opened, next_opened in zip(
            stretches, openings, [*openings[1:], None], strict=True
        ):
            group = each["group"]
            closed = first_time(group, "ActionBot: Chat Closed")
            ended = closed or next_opened or ends[tuple(key.values())]
            bots = [event | _bot(event) for event in group]
            rows.append(
                key
                | held(group)
                | _counts(group)
                | {
                    "chat_number": each["chat_number"],
                    "item_id": latest(bots, "bot_id"),
                    "item_name": latest(bots, "bot_name"),
                    "opened_at": opened,
                    "closed_at": closed,
                    "ended_at": ended if opened else None,
                    "duration_seconds": between(opened, ended),
                    "is_opened": opened is not None,
                    "is_closed": closed is not None,
                }
            )
    return rows


def conversations(events: list[Row]) -> list[Row]:
    """One row per run of a conversation, and per stretch of events outside of any.

    `chat_number` is that of the chat that holds the first event.
    """
    rows = []
    own = [event for event in actionbot_events(events) if event["item_type"] != "ActionBot"]
    for key, group in grouped(own, *SESSION, "conversation", "conversation_number"):
        counts = _counts(group)
        started = first_time(group, "ActionBot Conversation: Conversation Started")
        ended = first_time(group, "ActionBot Conversation: Conversation Ended")
        rows.append(
            {column: key[column] for column in (*SESSION, "conversation_number")}
            | held(group)
            | {
                "chat_number": min(event["chat_number"] for event in group),
                "item_id": latest(group, "conversation_id"),
                "item_name": latest(group, "conversation_name"),
                "started_at": started,
                "ended_at": ended,
                "duration_seconds": between(started, group[-1]["occurred_at"]),
                "is_started": started is not None,
                "is_ended": ended is not None,
            }
            | {
                column: counts[column]
                for column in ("nodes_served", "questions_answered", "actions_triggered")
            }
        )
    return rows


def _number(group: list[Row], name: str, *, opens: str, closes: str) -> None:
    number, is_over, is_in = 0, True, False
    for event in group:
        if event["event"] == opens or is_over:
            number, is_in = number + 1, event["event"] == opens
        event |= {f"{name}_number": number, f"is_in_{name}": is_in}
        is_over = event["event"] == closes


def _conversation(event: Row) -> Row:
    if event["item_type"] == "ActionBot":
        return {}
    own = "parent_item_" if event["item_type"] == "ActionBot Node" else "item_"
    item_id, name = event[f"{own}id"], event[f"{own}name"]
    known: Any = known_as(item_id, name)
    return {"conversation_id": item_id, "conversation_name": name, "conversation": known}


def _bot(event: Row) -> Row:
    """The ActionBot of an event: its own item, or the parent of a conversation."""
    prefix = {"ActionBot": "item_", "ActionBot Conversation": "parent_item_"}
    own = prefix.get(event["item_type"])
    return {
        "bot_id": own and event[f"{own}id"],
        "bot_name": own and event[f"{own}name"],
    }


def _counts(group: list[Row]) -> Row:
    events = [event["event"] for event in group]
    return {
        "is_engaged": "End User Engaged" in events,
        "messages": events.count("End User Engaged"),
        "searches": events.count("Conversation Search"),
        "conversations_started": events.count("Conversation Started"),
        "conversations_ended": events.count("Conversation Ended"),
        "nodes_served": events.count("Conversation Node Served"),
        "questions_answered": events.count("Conversation Question Answered"),
        "actions_triggered": events.count("Conversation Action Triggered"),
    }
