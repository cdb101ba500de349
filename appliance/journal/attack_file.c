/* SPDX-License-Identifier: Apache-2.0 */
/* The file of attack alarms and of the services that hosts have used. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/columns.h"
#include "appliance/base/json_each.h"
#include "appliance/journal/attack.h"

#define FILE_NAME "attacks"
#define FILE_BYTES (4u << 20)
#define FORM 1

static json_t *cause_json(const void *cause)
{
	return json_string(attack_word(*(const uint8_t *)cause));
}

static bool cause_take(const json_t *j, void *ret)
{
	unsigned cause = json_is_string(j) ? attack_by_word(json_string_value(j)) : ATTACK_CAUSES;

	*(uint8_t *)ret = (uint8_t)cause;
	return cause != ATTACK_CAUSES;
}

#define ALARM(member, kind, least, most) COLUMN(#member, struct attack_alarm, member, COLUMN_##kind, least, most)
static const struct column alarm_table[] = { ALARM(number, NUMBER, 1, UINT32_MAX),
					     COLUMN_BY("cause", struct attack_alarm, cause, cause_json, cause_take),
					     ALARM(grave, BOOL, 0, 0),
					     ALARM(test, BOOL, 0, 0),
					     ALARM(sum, BOOL, 0, 0),
					     ALARM(key, BITS, 0, 0),
					     ALARM(zones, BITS, 0, 0),
					     ALARM(first, NUMBER, 0, INT64_MAX),
					     ALARM(last, NUMBER, 0, INT64_MAX),
					     ALARM(count, NUMBER, 0, UINT32_MAX),
					     ALARM(hosts, NUMBER, 0, ATTACK_HOSTS),
					     ALARM(places, NUMBER, 0, UINT32_MAX),
					     ALARM(from, TEXT, 0, 0),
					     ALARM(to, TEXT, 0, 0),
					     ALARM(client, ADDR, 0, 0),
					     ALARM(server, ADDR, 0, 0),
					     ALARM(rung, NUMBER, 0, UINT32_MAX),
					     ALARM(rang, NUMBER, 0, INT64_MAX),
					     ALARM(acknowledged, NUMBER, 0, INT64_MAX),
					     ALARM(silent_until, NUMBER, 0, INT64_MAX),
					     ALARM(seen, NUMBER, 0, UINT32_MAX),
					     ALARM(seen_grave, BOOL, 0, 0),
					     ALARM(by, TEXT, 0, 0),
					     ALARM(person, TEXT, 0, 0),
					     ALARM(reason, TEXT, 0, 0),
					     ALARM(says, NUMBER, 0, ATTACK_RANG_TEST) };
static const struct columns alarm_columns = COLUMNS(alarm_table, struct attack_alarm);

#define ALL(member, kind, most) COLUMN(#member, struct attacks, member, COLUMN_##kind, 0, most)
static const struct column all_table[] = {
	COLUMN_IS("form", FORM),	ALL(seed, BITS, 0),
	ALL(last, NUMBER, UINT32_MAX),	ALL(beyond, NUMBER, INT64_MAX),
	ALL(forgot, NUMBER, INT64_MAX), ALL(rule_version, NUMBER, INT64_MAX),
	ALL(tested, NUMBER, INT64_MAX), ALL(test_missed, NUMBER, (1u << ATTACK_CAUSES) - 1),
	ALL(damaged, BOOL, 0)
};
static const struct columns all_columns = COLUMNS(all_table, struct attacks);

static json_t *asked_json(const struct attack_asked *table, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		if (table[i].first != 0)
			json_array_append_new(list, json_pack("[I, o, I, I]", (json_int_t)i,
							      json_integer((json_int_t)table[i].key),
							      (json_int_t)table[i].first, (json_int_t)table[i].last));
	return list;
}

static json_t *file_json(const struct attacks *a)
{
	json_t *rule = json_object(), *j;

#define ATTACK(id, word, ...) json_object_set_new(rule, #word, json_integer(a->rule.at_least[id]));
#define ATTACK_SETTING(word, ...) json_object_set_new(rule, #word, json_integer(a->rule.word));
#include "appliance/wire/attack.def"
	j = columns_with(columns_json(&all_columns, a), "rule", rule);
	j = columns_with(j, "alarms", columns_list(&alarm_columns, a->alarms, a->n));
	j = columns_with(j, "askers", asked_json(a->askers, ATTACK_ASKERS));
	return columns_with(j, "asked", asked_json(a->asked, ATTACK_ASKED));
}

int attacks_save(int folder, struct attacks *a, struct err *e)
{
	int r = columns_save(folder, FILE_NAME, file_json(a), "the alarms of attacks", e);

	if (r == 0)
		a->changed = a->stale = false;
	return r;
}

static bool asked_parse(const json_t *list, struct attack_asked *table, size_t n)
{
	json_int_t at, key, first, last;

	if (!json_is_array(list) || json_array_size(list) > n)
		return false;
	json_each(j, list) {
		if (json_unpack_ex(j, NULL, JSON_STRICT, "[I, I, I, I]", &at, &key, &first, &last) < 0 || at < 0 ||
		    (size_t)at >= n || first <= 0 || last < first || table[at].first != 0)
			return false;
		table[at] = (struct attack_asked){ (uint64_t)key, (uint64_t)first, (uint64_t)last };
	}
	return true;
}

static bool number_take(const json_t *j, const char *key, uint32_t *ret)
{
	const json_t *v = json_object_get(j, key);

	*ret = (uint32_t)json_integer_value(v);
	return json_is_integer(v) && json_integer_value(v) > 0 && json_integer_value(v) <= ATTACK_MOST;
}

/* Another version of the program may have other thresholds: a missing one gets its default, which
 * counts as a change of the rule. */
static void rule_parse(const json_t *j, struct attack_rule *ret)
{
	uint32_t v;

#define ATTACK(id, word, ...)                                                                                          \
	if (number_take(j, #word, &v))                                                                                 \
		ret->at_least[id] = v;
#define ATTACK_SETTING(word, ...)                                                                                      \
	if (number_take(j, #word, &v))                                                                                 \
		ret->word = v;
#include "appliance/wire/attack.def"
}

static bool all_parse(const json_t *all, struct attacks *ret)
{
	const json_t *rule = json_object_get(all, "rule"), *alarms = json_object_get(all, "alarms");

	ret->rule = attack_usual;
	if (!columns_parse(&all_columns, all, 4, ret) || !json_is_object(rule) ||
	    !columns_list_parse(&alarm_columns, alarms, ret->alarms, ATTACK_ALARMS, &ret->n))
		return false;
	rule_parse(rule, &ret->rule);
	for (size_t i = 0; i < ret->n; i++)
		if (ret->alarms[i].number > ret->last)
			return false;
	return asked_parse(json_object_get(all, "askers"), ret->askers, ATTACK_ASKERS) &&
	       asked_parse(json_object_get(all, "asked"), ret->asked, ATTACK_ASKED);
}

bool attacks_parse(const uint8_t *text, size_t n, struct attacks *ret)
{
	json_t *all = json_loadb((const char *)text, n, JSON_REJECT_DUPLICATES, NULL);
	bool sound;

	memset(ret, 0, sizeof(*ret));
	sound = all != NULL && all_parse(all, ret);
	json_decref(all);
	if (!sound)
		memset(ret, 0, sizeof(*ret));
	return sound;
}

void attacks_load(int folder, uint64_t seed, struct attacks *ret, bool *ret_damaged)
{
	uint8_t *text = NULL;
	size_t n = 0;
	int r = file_read(folder, FILE_NAME, FILE_BYTES, &text, &n, NULL);
	bool sound = r == 0 && attacks_parse(text, n, ret);

	free(text);
	*ret_damaged = !sound && r != -ENOENT;
	if (sound)
		return;
	if (*ret_damaged)
		file_aside(folder, FILE_NAME);
	memset(ret, 0, sizeof(*ret));
	ret->seed = seed;
	ret->rule = attack_usual;
	ret->damaged = ret->changed = *ret_damaged;
}
