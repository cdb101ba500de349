/* SPDX-License-Identifier: Apache-2.0 */
/* The file of attack alarms and of the services that hosts have used. */
#include "appliance/base/columns.h"
#include "appliance/base/json_each.h"
#include "appliance/journal/attack.h"

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

static json_t *rule_json(const void *rule)
{
	const struct attack_rule *r = rule;
	json_t *j = json_object();

#define ATTACK(id, word, ...) json_object_set_new(j, #word, json_integer(r->at_least[id]));
#define ATTACK_SETTING(word, ...) json_object_set_new(j, #word, json_integer(r->word));
#include "appliance/wire/attack.def"
	return j;
}

static bool number_take(const json_t *j, const char *key, uint32_t *ret)
{
	const json_t *v = json_object_get(j, key);

	*ret = (uint32_t)json_integer_value(v);
	return json_is_integer(v) && json_integer_value(v) > 0 && json_integer_value(v) <= ATTACK_MOST;
}

/* Another version of the program may have other thresholds: a missing one gets its default, which
 * counts as a change of the rule. */
static bool rule_take(const json_t *j, void *rule)
{
	struct attack_rule *ret = rule;
	uint32_t v;

	*ret = attack_usual;
#define ATTACK(id, word, ...)                                                                                          \
	if (number_take(j, #word, &v))                                                                                 \
		ret->at_least[id] = v;
#define ATTACK_SETTING(word, ...)                                                                                      \
	if (number_take(j, #word, &v))                                                                                 \
		ret->word = v;
#include "appliance/wire/attack.def"
	return json_is_object(j);
}

static json_t *table_json(const struct attack_asked *table, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		if (table[i].first != 0)
			json_array_append_new(list, json_pack("[I, o, I, I]", (json_int_t)i,
							      json_integer((json_int_t)table[i].key),
							      (json_int_t)table[i].first, (json_int_t)table[i].last));
	return list;
}

static bool table_take(const json_t *list, struct attack_asked *table, size_t n)
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

#define ASKED(list, most)                                                                                              \
	static json_t *list##_json(const void *table)                                                                  \
	{                                                                                                              \
		return table_json(table, most);                                                                        \
	}                                                                                                              \
	static bool list##_take(const json_t *j, void *table)                                                          \
	{                                                                                                              \
		return table_take(j, table, most);                                                                     \
	}
ASKED(askers, ATTACK_ASKERS)
ASKED(asked, ATTACK_ASKED)

#define ALL(member, kind, most) COLUMN(#member, struct attacks, member, COLUMN_##kind, 0, most)
#define ALL_BY(member) COLUMN_BY(#member, struct attacks, member, member##_json, member##_take)
static const struct column all_table[] = { COLUMN_IS("form", FORM),
					   ALL(seed, BITS, 0),
					   ALL(last, NUMBER, UINT32_MAX),
					   ALL(beyond, NUMBER, INT64_MAX),
					   ALL(forgot, NUMBER, INT64_MAX),
					   ALL(rule_version, NUMBER, INT64_MAX),
					   ALL(tested, NUMBER, INT64_MAX),
					   ALL(test_missed, NUMBER, (1u << ATTACK_CAUSES) - 1),
					   ALL(damaged, BOOL, 0),
					   ALL_BY(rule),
					   COLUMN_LIST("alarms", struct attacks, alarms, n, &alarm_columns),
					   ALL_BY(askers),
					   ALL_BY(asked) };
static const struct columns all_columns = COLUMNS(all_table, struct attacks);

static bool all_is_sound(const void *attacks)
{
	const struct attacks *a = attacks;

	for (size_t i = 0; i < a->n; i++)
		if (a->alarms[i].number > a->last)
			return false;
	return true;
}

const struct columns_file attacks_file = { "attacks", "the alarms of attacks", 4u << 20, &all_columns, all_is_sound };

void attacks_load(int folder, uint64_t seed, struct attacks *ret, bool *ret_damaged)
{
	if (columns_load(&attacks_file, folder, ret, ret_damaged))
		return;
	ret->seed = seed;
	ret->rule = attack_usual;
	ret->damaged = ret->changed = *ret_damaged;
}
