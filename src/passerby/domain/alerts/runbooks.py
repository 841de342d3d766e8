"""The runbook: the meaning of each alert, and the remedy. `docs/runbooks/` and the staff bot show it."""

import re
from typing import Final, NamedTuple

from passerby.domain.alerts import rules


class Runbook(NamedTuple):
    """`impact`: what people notice. `diagnosis`: how to find the cause. `remedy`: what to do."""

    meaning: str
    impact: str
    diagnosis: str
    remedy: str


RUNBOOKS: Final[dict[str, Runbook]] = {
    rules.STORE_AWAY.name: Runbook(
        "Redis (or the disk with the live store), or the database with the records, does not answer.",
        "Without the live store nobody is served: updates wait at Telegram, and nothing is lost. Without the records, "
        "chats go on, but newcomers wait and facts pile up in the journal.",
        "`passerby status` names the store and the error. Look at the server's own log, its disk and its memory. "
        "`passerby doctor` says whether it can be reached and how it is set up.",
        "Start the server, or give it room. Passerby goes on by itself; do not restart its processes.",
    ),
    rules.BOT_NOT_POLLED.name: Runbook(
        "No process has polled this bot for a while.",
        "Messages to this bot wait at Telegram, for 24 hours at most.",
        "`passerby status` shows which process has the bot. `passerby logs` has a line `intake.faltered` or "
        "`intake.conflict` with the reason. A conflict means that another program polls the same bot.",
        "If a process is stuck, stop it: another takes the bot over within seconds. If another program has the token, "
        "end that program. If Telegram does not answer, check the network and wait.",
    ),
    rules.BOT_LOST.name: Runbook(
        "Telegram has refused the bot's token for two minutes: it was revoked, or the bot was deleted or banned.",
        "People cannot reach this bot. Their chats have ended, and their partners were told. Their profiles are kept, "
        "and any other bot of yours knows them.",
        "Ask @BotFather for the bot, with the account that owns it. `passerby doctor` tries the token.",
        "If the token was changed, write the new one in BOT_TOKENS or BOT_TOKENS_FILE and run `passerby reload`. If "
        "the bot is gone, remove its token, and tell people about another bot.",
    ),
    rules.POLLING_ERRORS.name: Runbook(
        "Telegram, or the network on the way to it, refuses many polls.",
        "Messages come late. Nothing is lost.",
        "`passerby logs` has lines `intake.faltered` with the answer. Compare with other programs on this machine.",
        "Check the network, the proxy and BOT_API_URL. If Telegram itself has a fault, wait: polling recovers alone.",
    ),
    rules.TELEGRAM_QUEUE.name: Runbook(
        "Updates for this bot come in faster than they are handled, or nobody handles them.",
        "Messages come late. Beyond 100,000, Telegram drops updates without a word.",
        "`passerby status` shows who polls the bot and how busy the processes are. `passerby monit` shows the rates.",
        "Add processes (`passerby cluster --workers N`) if they are busy. If nobody polls the bot, see that alert.",
    ),
    rules.OUTBOX_OLD.name: Runbook(
        "Passerby has something to tell somebody and cannot send it.",
        "People do not hear of a new partner, or of the end of a chat.",
        "`passerby logs` has `courier.flood` if Telegram holds a chat or a bot back, or errors of the network.",
        "If a bot is held, it goes on by itself. Otherwise check the network to Telegram.",
    ),
    rules.BOT_HELD.name: Runbook(
        "Telegram has answered 429 for two chats of this bot or more, and names a long wait.",
        "Messages through this bot are late.",
        "`courier.flood` in the logs shows the wait that Telegram names. Was something sent to very many people?",
        "Wait. Lower BOT_RATE_PER_S if it comes again. Never restart to get around it: the wait stays.",
    ),
    rules.CRASHES.name: Runbook(
        "Processes ended without being told to: killed, out of memory, or by an error.",
        "Each crash delays some messages by a few seconds. One message in a chat may arrive twice.",
        "`passerby logs` around `process.had_crashed`; the machine's log for the out-of-memory killer (`dmesg`).",
        "If memory ran out, lower MAX_MEMORY_MB or add memory. If an error is in the log, report it with its frames.",
    ),
    rules.LOOP_STUCK.name: Runbook(
        "A process worked on one thing for so long that it could do nothing else. It ended itself and was restarted.",
        "Its bots paused for some seconds. If one update caused it, that update is set aside the second time.",
        "`loop.stuck` in the logs names the place in the code.",
        "Report the frames. If the disk was slow (`loop.long_turn` before it), look at the disk.",
    ),
    rules.SET_ASIDE.name: Runbook(
        "An update could not be handled, again and again, because of a bug. It was set aside so that others go on.",
        "One message was not delivered. Its sender was told.",
        "`event.put_aside` and `decide.broken` in the logs name the kind of update and the place in the code.",
        "Report the frames. Nothing else is needed: the same person's next message goes on.",
    ),
    rules.SLOW_MATCHING.name: Runbook(
        "People wait much longer for a partner than in this hour a week ago.",
        "People give up searching.",
        "`passerby monit` shows how many wait and how many pairs are made. Has a bot gone, or a pool become small?",
        "Look for other alerts first. Check POOLS and FREE_FILTERS: a small pool waits long.",
    ),
    rules.POSTGRES_CONNECTIONS.name: Runbook(
        "Nearly all connections of a process's pool, or of the server, are in use.",
        "Soon newcomers and the records have to wait. Chats go on.",
        "`passerby slow` shows the connections by process, and the longest transaction.",
        "End what holds connections. Raise max_connections, or lower DB_POOL_MAX, so that all processes fit.",
    ),
    rules.SLOW_QUERIES.name: Runbook(
        "Statements to the database take long on average.",
        "Newcomers wait. Chats go on.",
        "`passerby slow` names the slowest statements, missing indexes, dead rows and the longest transaction.",
        "Follow its remedies. The cause is often a long transaction of another program, or a slow disk.",
    ),
    rules.REDIS_MEMORY.name: Runbook(
        "Redis has nearly used the memory that it may use.",
        "When it is full, it refuses writes: no new chat begins, and updates wait at Telegram.",
        "`passerby slow` shows the memory by kind of key.",
        "Raise maxmemory. If the journal is large, the records are behind: look at the database.",
    ),
    rules.DISK_SPACE.name: Runbook(
        "The disk with the database, the live store or the logs is nearly full.",
        "When it is full, nothing can be stored, and updates wait at Telegram.",
        "`df -h` and `du -xh --max-depth=1`. Backups and logs grow the most.",
        "Make room, or use a larger disk.",
    ),
    rules.CLOCK_SKEW.name: Runbook(
        "This machine's clock and the Bot API server's differ.",
        "Times in the records are wrong. With a large difference, fresh messages look old.",
        "`timedatectl` or `chronyc tracking` on this machine.",
        "Let the machine follow a time server (chrony, ntpd).",
    ),
    rules.CERTIFICATE.name: Runbook(
        "The certificate of WEBHOOK_URL expires soon.",
        "When it has expired, Telegram delivers nothing.",
        "Look at the log of whatever renews it: Caddy, certbot.",
        "Renew it, and reload nginx or Caddy.",
    ),
    rules.BACKUP_OLD.name: Runbook(
        "No backup was made for more than a day, or the newer ones are damaged.",
        "Nobody notices now. If the disk breaks, more is lost than you expect.",
        "`passerby backup list`; `backup.failed` and `backup.not_counted` in the logs say why.",
        "Run `passerby backup run`, and correct what it says.",
    ),
    rules.RESTORE_TEST_OLD.name: Runbook(
        "No backup was restored for a test for more than a week.",
        "Nobody notices now. A backup that cannot be restored is no backup.",
        "`passerby backup list`; `backup.failed` in the logs says why.",
        "Run `passerby backup verify`, and correct what it says.",
    ),
    rules.RESTORE_TEST_FAILED.name: Runbook(
        "A backup was restored for a test, and something was missing or different.",
        "Nobody notices now. If the database is lost today, you need an older backup.",
        "`passerby backup list` says what was wrong, and with which backup. Look at the disk of BACKUP_DIR, too.",
        "Run `passerby backup run`, then `passerby backup verify`. The last backup that passed a test is kept, "
        "whatever its age. If the new one fails as well, the database itself may be damaged.",
    ),
    rules.SALE_FOUND.name: Runbook(
        "A bot's transactions showed a payment that no update had brought. Telegram keeps updates for a day, so this "
        "happens after a long outage, or if something else polled the bot.",
        "The buyer got their VIP up to ten minutes late, or after the outage. They were told.",
        "`passerby logs` has `money.sale_found` with the bot. `passerby status` shows whether something else polls it "
        "(`intake.conflict`).",
        "Nothing is missing now. If nothing was down, find out who else uses the bot's token, and revoke it.",
    ),
    rules.CHARGE_UNCONFIRMED.name: Runbook(
        "The ledger has a charge that Telegram's list of transactions lacks.",
        "Somebody has VIP, and perhaps nobody paid. It should never happen: either somebody forges updates, or the "
        "tokens belong to another Bot API server than before.",
        "Compare `passerby money report` with the balance in BotFather. Is WEBHOOK_URL's secret path known to others? "
        "Did BOT_API_URL change?",
        "Revoke the bot's token in BotFather if updates may be forged. Staff can see the purchase by its code.",
    ),
    rules.SWEEP_OLD.name: Runbook(
        "Nobody has read a bot's transactions for half an hour. That normally happens every ten minutes.",
        "Payments whose update was lost are not found, and refunds that Telegram made by itself are not noticed.",
        "`money.sweep_failed` in the logs says what Telegram answered; `money.records_lost` that the database is away.",
        "If Telegram does not answer, wait. If the database is away, see PasserbyStoreAway. It goes on by itself.",
    ),
    rules.OWED_LONG.name: Runbook(
        "We owe somebody their Stars or the end of a subscription, and Telegram has not confirmed it for a day.",
        "The person waits for their money, or is charged again. They may report the bot to BotFather.",
        "`money.call_failed` in the logs has Telegram's answer. `passerby money report` shows how many are owed, and "
        "whether the bot still runs. A bot without enough Stars cannot refund.",
        "Put Stars on the bot's balance, or get the bot's token working again. If the bot is gone, tell the person "
        "to cancel in Telegram under Settings, My Stars; only Telegram's support can refund then.",
    ),
    rules.REFUND_REFUSED.name: Runbook(
        "Telegram answered that it knows no such payment, or that the buyer's account is gone. It said so again ten "
        "minutes after the refund was decided. So the refund is owed no more.",
        "The buyer has no Stars back. They were told, and the VIP from that purchase counts again. A subscription "
        "stays cancelled.",
        "`money.refund_refused` in the logs has the bot and Telegram's answer. The panel's page Money marks the "
        "purchase, and `/purchase` with its code says it.",
        "Usually the ledger came from another Bot API server or another bot, or somebody forged a payment: see "
        "PasserbyChargeUnconfirmed. If the buyer really paid, Telegram's support can give the Stars back.",
    ),
    rules.CHECKOUTS_LATE.name: Runbook(
        "People pressed Pay, and the answer took more than five seconds. After ten, Telegram gives up.",
        "They see an error and pay nothing.",
        "A store that answers late, or an event loop that is busy: compare with PasserbyStoreAway, "
        "PasserbySlowQueries and the loop's lag in `passerby status`.",
        "Add a process, or give the database room. Checkouts wait for nothing else.",
    ),
    rules.CASES_WAIT.name: Runbook(
        "Nobody has decided a case for a day. `first` is about minors and threats, `appeals` are of people who were "
        "banned, `rest` is everything else.",
        "Somebody who was reported goes on, or somebody who was banned wrongly waits.",
        "`/cases` in the staff bot and the panel's page Safety list what waits. A case may also wait for a second "
        "member, or its member may have left it.",
        "Decide the oldest ones. If there are more than your moderators can decide, invite another one with "
        "`passerby staff invite --role moderator`.",
    ),
    rules.FARM_FOUND.name: Runbook(
        "Five accounts or more lead their partners to the same places, or have the same habits. They lost their links, "
        "wait longer and meet only each other, for a day or as long as it goes on. It is over when none was found for "
        "six hours.",
        "Nearly nobody else meets them. If it is a mistake, these people notice the first two measures.",
        "`passerby_farm_accounts` counts them. Most farms have dozens of accounts. Appeals in `/cases` "
        "that name the rule `farm` are a hint that honest people are among them.",
        "Nothing, if it is a farm: the measures end by themselves. If an honest person appeals, overturn it. "
        "Ban those whom people report. Accounts that come later by the same link as two banned ones begin with held "
        "links.",
    ),
}


def what_to_do(rule: rules.Rule) -> str:
    """The runbook as one message. Quotation marks stand for the backticks of the page."""
    runbook = RUNBOOKS[rule.name]
    return re.sub(
        "`(.+?)`",
        r"“\1”",
        f"{rule.title}\n\n{runbook.meaning}\n\nImpact: {runbook.impact}\n\n"
        f"Diagnosis: {runbook.diagnosis}\n\nWhat to do: {runbook.remedy}",
    )
