/* SPDX-License-Identifier: Apache-2.0 */
/* Doors: a conduit behind a door is shut until a person opens the door. The door says who may open
 * it, and for how long at most. */
#include <string.h>

#include "appliance/base/duration.h"
#include "appliance/wire/duty.h"
#include "policy/check/check.h"
#include "policy/check/keys.h"
#include "policy/check/names.h"
#include "policy/check/say.h"

static void at_most(struct check *k, const struct ast_node *node, struct model_door *one, struct object o)
{
	uint64_t seconds;

	if (node == NULL)
		return;
	if (duration_parse(node->string, UINT64_MAX, &seconds) && seconds >= DOOR_LEAST && seconds <= DOOR_MOST)
		one->at_most = (uint32_t)seconds;
	else
		check_hinted(k, SEV_ERROR, "policy.range", node, MP_DOOR_AT_MOST, o, node->string,
			     MP_HINT_DOOR_AT_MOST);
}

static void opened_by(struct check *k, const struct ast_node *list, struct model_door *one, struct object o)
{
	const char *may[DUTY_COUNT];
	size_t n = 0;

	for (unsigned d = 0; d < DUTY_COUNT; d++)
		if (duty_may(1u << d, RIGHT_DOOR))
			may[n++] = duty_word(d);
	for (const struct ast_node *e = NULL; (e = list_next(k, list, e, AST_STRING, o)) != NULL;) {
		enum duty d = duty_by_word(e->string);
		struct diag *g;

		if (d != DUTY_COUNT && duty_may(1u << d, RIGHT_DOOR)) {
			one->opened_by |= 1u << d;
			continue;
		}
		g = check_value(k, SEV_ERROR, "policy.unknown_word", e,
				d != DUTY_COUNT ? MP_DOOR_ROLE : MP_DOOR_NO_ROLE, o, e->string);
		(void)check_near(k, g, e->string, may, n);
	}
	check_not_empty(k, list, o, NO_HINT);
}

void check_doors(struct check *k, const struct ast_node *node)
{
	size_t n = node != NULL ? node->n : 0;
	struct model *m = k->m;

	m->doors = arena_array(k->a, n, sizeof(m->doors[0]));
	if (!names_new(k, &k->doors, n) || m->doors == NULL)
		return;
	for (const struct ast_node *c = n > 0 ? node->child : NULL; c != NULL; c = c->next) {
		const struct ast_node *v[KEYS(door_keys)];
		struct model_door *one = &m->doors[m->n_doors++];
		struct object o = { MP_OBJ_DOOR, c->name };

		*one = (struct model_door){ .name = c->name, .label = "", .at = c->at };
		name_check(k, c->name, c->at, c->width);
		names_put(&k->doors, one->name, one);
		if (!keys_read(k, c, door_keys, KEYS(door_keys), o, one, v))
			continue;
		at_most(k, v[D_AT_MOST], one, o);
		opened_by(k, v[D_OPENED_BY], one, o);
		one->needs = (uint8_t)words_of(k, v[D_NEEDS], door_need_words, DOOR_NEEDS, "name, ticket, reason", o);
		one->of = v[D_ORGANISATION];
	}
	names_build(k, &k->doors);
}

static bool leads_to(const struct model_conduit *c, const struct model_organisation *of)
{
	return of->zone == NULL || c->from == of->zone || c->to == of->zone;
}

void check_doors_used(struct check *k)
{
	struct model *m = k->m;

	for (size_t i = 0; i < m->n_doors; i++) {
		struct model_door *d = &m->doors[i];
		struct object o = { MP_OBJ_DOOR, d->name };
		bool used = false;

		for (size_t n = 0; d->of != NULL && n < m->n_organisations; n++)
			if (strcmp(m->organisations[n].name, d->of->string) == 0)
				d->organisation = &m->organisations[n];
		if (d->of != NULL && d->organisation == NULL)
			check_value(k, SEV_ERROR, "policy.unknown_name", d->of, MP_NO_ORGANISATION, o, d->of->string);
		for (size_t n = 0; n < m->n_conduits; n++) {
			const struct model_conduit *c = &m->conduits[n];

			used = used || c->door == d;
			if (c->door != d || d->organisation == NULL || leads_to(c, d->organisation))
				continue;
			check_say(k, SEV_ERROR, "policy.door", c->at, 1, MP_DOOR_OF_OTHERS,
				  (struct object){ MP_OBJ_CONDUIT, c->name }, d->name, d->organisation->name)
				->also = d->at;
		}
		if (!used)
			check_say(k, SEV_WARNING, "policy.no_effect", d->at, 1, MP_DOOR_UNUSED, o, "", "");
	}
}
