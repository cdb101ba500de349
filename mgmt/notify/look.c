/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/notify/look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "mgmt/notify/ask.h"
#include "mgmt/state/alarms.h"
#include "mgmt/words/sentence.h"

#define ABSENT_LOOKS 5u /* of a daemon: a new start takes less */
#define PAGE 100u

static void take_records(const struct look *k, struct ledger *l)
{
	struct msg_body q = { MSG_EVENTS, .events = { .after = ledger_after(l), .most = PAGE } };
	json_t *answer;

	if (!event_filter_set(&q.events.filter, FILTER_SEVERITY, "serious"))
		return;
	answer = notify_ask(k->socket, &q);
	for (size_t i = 0; i < json_array_size(ja(answer, "events")); i++) {
		const json_t *e = json_array_get(ja(answer, "events"), i);
		char *en = event_sentence(e, LANG_EN), *japanese = event_sentence(e, LANG_JA);

		/* Its alarm says it. */
		if (strcmp(js(e, "kind"), "attack") != 0 || strncmp(js(e, "code"), "rang", 4) != 0)
			ledger_record(l, ju(e, "seq"), js(e, "time"), en != NULL ? en : "",
				      japanese != NULL ? japanese : "");
		free(en);
		free(japanese);
		if (ju(e, "seq") > ledger_after(l))
			ledger_set_after(l, ju(e, "seq"));
		ledger_set_mark(l, ju(e, "seq"), js(e, "hash"));
	}
	if (ju(answer, "next") > ledger_after(l))
		ledger_set_after(l, ju(answer, "next"));
	json_decref(answer);
}

/* 1: the record that is known is there, 0: it is another one, or none; -1: nobody says. */
static int has_mark(const struct look *k, const struct ledger *l)
{
	json_t *answer = notify_ask(
		k->socket, &(struct msg_body){ MSG_EVENTS, .events = { .after = ledger_mark(l) - 1, .most = 1 } });
	const json_t *e = json_array_get(ja(answer, "events"), 0);
	int r = answer == NULL ? -1 : ju(e, "seq") == ledger_mark(l) && strcmp(js(e, "hash"), ledger_mark_hash(l)) == 0;

	json_decref(answer);
	return r;
}

/*
 * Records that begin anew count from 1 again, and the first of them says why: all of them are news. Looked at after each time without an answer, and when there are
 * fewer than were looked at. A power cut takes the last ones that no disk had: then it goes on behind the one that is known. False: not known yet.
 */
static bool hold_to_records(struct look *k, struct ledger *l, const json_t *journal)
{
	uint64_t newest = ju(journal, "records");
	bool fewer = newest < ledger_after(l);
	int same = !fewer;

	if (!json_is_integer(json_object_get(journal, "records")))
		return false;
	if (k->new_ledger)
		ledger_set_after(l, newest);
	else if (!k->sure || fewer) {
		if (ledger_mark(l) != 0)
			same = has_mark(k, l);
		if (same < 0)
			return false;
		if (same == 0) {
			ledger_set_after(l, 0);
			ledger_set_mark(l, 0, "");
		} else if (fewer) {
			ledger_set_after(l, ledger_mark(l));
		}
	}
	k->new_ledger = false;
	k->sure = true;
	if (ledger_mark(l) == 0 && newest > 0)
		ledger_set_mark(l, newest, js(journal, "head"));
	return true;
}

void look(struct look *k, struct ledger *l)
{
	json_t *status = notify_ask(k->socket, &(struct msg_body){ .type = MSG_STATUS }), *alarms,
	       *now = json_time(clock_wall_ns());

	if (status == NULL) {
		k->sure = false;
		/* What was wrong is not over because nobody answers. */
		if (++k->absent >= ABSENT_LOOKS) {
			alarms = json_deep_copy(json_object_get(l->all, "alarms"));
			(void)json_array_append_new(alarms, alarm_of_no_daemon());
			ledger_look(l, alarms, json_string_value(now));
			json_decref(alarms);
		}
	} else {
		k->absent = 0;
		snprintf(k->site, sizeof(k->site), "%s", js(ja(status, "site"), "name"));
		snprintf(k->contact, sizeof(k->contact), "%s", js(ja(status, "site"), "contact"));
		ledger_generation(l, ju(ja(status, "generation"), "number"));
		alarms = alarms_find(status);
		ledger_look(l, alarms, json_string_value(now));
		json_decref(alarms);
		if (hold_to_records(k, l, ja(status, "journal")))
			take_records(k, l);
	}
	json_decref(now);
	json_decref(status);
}
