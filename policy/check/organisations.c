/* SPDX-License-Identifier: Apache-2.0 */
/* Outside organisations. Each has a zone of its own. It has no conduit to another organisation, and
 * no conduit that outlasts its contract. */
#include "policy/check/check.h"
#include "policy/check/keys.h"
#include "policy/check/names.h"
#include "policy/check/say.h"
#include "policy/check/windows.h"

static void contacts(struct check *k, const struct ast_node *list, struct model_organisation *one, struct object o)
{
	one->contacts = arena_array(k->a, list->n, sizeof(one->contacts[0]));
	for (const struct ast_node *c = NULL;
	     one->contacts != NULL && (c = list_next(k, list, c, AST_STRING, o)) != NULL;)
		one->contacts[one->n_contacts++].contact = text_needed(k, c, o);
}

static void one_organisation(struct check *k, const struct ast_node *node)
{
	const struct model_organisation *other;
	struct object o = { MP_OBJ_ORGANISATION, node->name };
	struct model_organisation *one = &k->m->organisations[k->m->n_organisations];
	const struct ast_node *v[KEYS(organisation_keys)];
	const struct model_zone *z = NULL;
	struct diag *g;

	name_check(k, node->name, node->at, node->width);
	*one = (struct model_organisation){ .name = node->name, .label = "", .at = node->at };
	if (!keys_read(k, node, organisation_keys, KEYS(organisation_keys), o, one, v))
		return;
	if (v[ORGANISATION_ZONE] != NULL)
		z = names_need(k, &k->zones, v[ORGANISATION_ZONE], MP_NO_ZONE, "policy.unknown_name", o);
	other = organisation_of(k->m, z);
	if (z != NULL && (other != NULL || z->self)) {
		g = check_value(k, SEV_ERROR, "policy.organisation_zone", v[ORGANISATION_ZONE], MP_ORGANISATION_ZONE, o,
				z->name);
		if (other != NULL)
			g->also = other->at;
	}
	if (v[ORGANISATION_UNTIL] != NULL)
		end_moment(k, v[ORGANISATION_UNTIL], MP_CONTRACT_PAST, o, &one->contract_until);
	if (v[ORGANISATION_CONTACTS] != NULL)
		contacts(k, v[ORGANISATION_CONTACTS], one, o);
	one->zone = z;
	k->m->n_organisations++;
}

/* A conduit of an organisation ends with the contract, as with an `until` of its own. */
static void ends_with(struct model_conduit *c, const struct model_organisation *of)
{
	if (of != NULL && of->contract_until != 0 && (c->until == 0 || c->until > of->contract_until))
		c->until = of->contract_until;
}

void check_organisations(struct check *k, const struct ast_node *node)
{
	struct model *m = k->m;

	m->organisations = arena_array(k->a, node != NULL ? node->n : 0, sizeof(m->organisations[0]));
	for (const struct ast_node *c = node != NULL ? node->child : NULL; c != NULL && m->organisations != NULL;
	     c = c->next)
		one_organisation(k, c);
	for (size_t i = 0; m->organisations != NULL && m->n_organisations > 0 && i < m->n_conduits; i++) {
		struct model_conduit *c = &m->conduits[i];
		const struct model_organisation *from = organisation_of(m, c->from), *to = organisation_of(m, c->to);

		ends_with(c, from);
		ends_with(c, to);
		if (from != NULL && to != NULL && from != to)
			check_say(k, SEV_ERROR, "policy.organisations_meet", c->at, 1, MP_ORGANISATIONS_MEET,
				  (struct object){ MP_OBJ_CONDUIT, c->name }, from->name, to->name)
				->also = to->at;
	}
}
