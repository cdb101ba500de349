/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "appliance/base/json.h"
#include "appliance/base/version.h"
#include "appliance/wire/reason.h"
#include "mgmt/state/alarms.h"
#include "mgmt/state/faults.h"
#include "mgmt/state/lost.h"
#include "mgmt/state/refused.h"
#include "mgmt/state/stand.h"
#include "mgmt/web/api/routes.h"

/* Takes over the list; adds a sentence to each of its reasons. */
static json_t *said(json_t *list, enum lang l)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *one = json_array_get(list, i);

		json_object_set_new(one, "text",
				    json_text(reason_text(reason_by_word(js(one, "reason")), lang_name(l))));
	}
	return list;
}

/* Why no record can be written at present; JSON null when records are written. */
static json_t *trouble(const json_t *status, enum lang l)
{
	const char *why = js(ja(status, "journal"), "trouble");
	char *text = *why != '\0' ? lost_text(l, why) : NULL;
	json_t *ret = json_text(text);

	free(text);
	return ret;
}

static json_t *in_words(const json_t *status, const json_t *alarms, enum lang l, const char **ret_stand)
{
	json_t *faults = faults_find(status, l);
	enum stand stand = stand_of(status, faults, alarms);
	char *sentence = stand_sentence(status, faults, alarms, stand, l), clock[CLOCK_WHY];
	bool listed = stand_lists(faults, stand);
	json_t *words;

	clock_why(ja(status, "clock"), l, clock);
	*ret_stand = stand_word(stand);
	words = json_pack("{s:o,s:o,s:b,s:o,s:o,s:o,s:o}", "sentence", json_text(sentence), "faults", faults, "listed",
			  (int)listed, "trouble", trouble(status, l), "clock", json_text(clock), "refused",
			  said(refused_list(status, false), l), "unjudged", said(refused_list(status, true), l));
	free(sentence);
	return words;
}

char *state_text(struct seen *seen, uint64_t wall_ns, const char *json, size_t n, size_t *ret_n)
{
	json_t *status = json_loadb(json, n, 0, NULL), *state = NULL;
	const char *stand;
	char *text = NULL;

	if (json_is_object(status)) {
		json_t *alarms = alarms_find(status), *en = in_words(status, alarms, LANG_EN, &stand);
		json_t *japanese = in_words(status, alarms, LANG_JA, &stand);

		seen_note(seen, alarms, wall_ns);
		state = json_pack("{s:s,s:s,s:o,s:o,s:o,s:O}", "version", SEKISHO_VERSION, "stand", stand, "en", en,
				  "ja", japanese, "alarms", alarms, "status", status);
	}
	json_decref(status);
	if (state != NULL)
		text = json_dumps(state, JSON_COMPACT);
	json_decref(state);
	if (text != NULL)
		*ret_n = strlen(text);
	return text;
}

const struct route route_state = { "/api/v1/state", MSG_STATUS, ask_plain,
				   &(const struct route_form){ "application/json", .dated = state_text },
				   RIGHT_READ_STATE };
