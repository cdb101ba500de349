/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/notify/look.h"

#include <stdio.h>
#include <stdlib.h>

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

		ledger_record(l, ju(e, "seq"), js(e, "time"), en != NULL ? en : "", japanese != NULL ? japanese : "");
		free(en);
		free(japanese);
		if (ju(e, "seq") > ledger_after(l))
			ledger_set_after(l, ju(e, "seq"));
	}
	if (ju(answer, "next") > ledger_after(l))
		ledger_set_after(l, ju(answer, "next"));
	json_decref(answer);
}

void look(struct look *k, struct ledger *l)
{
	json_t *status = notify_ask(k->socket, &(struct msg_body){ .type = MSG_STATUS }), *alarms,
	       *now = json_time(clock_wall_ns());

	if (status == NULL) {
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
		if (k->new_ledger)
			ledger_set_after(l, ju(ja(status, "journal"), "records"));
		k->new_ledger = false;
		alarms = alarms_find(status);
		ledger_look(l, alarms, json_string_value(now));
		json_decref(alarms);
		take_records(k, l);
	}
	json_decref(now);
	json_decref(status);
}
