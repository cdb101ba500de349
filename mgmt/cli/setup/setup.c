/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sekisho setup`: the questions in order, and the way back. Each step asks once and returns a
 * result, by which the loop decides what comes next. The compiler checks the resulting texts before
 * they are written.
 */
#include "mgmt/cli/setup/setup.h"
#include "mgmt/cli/setup/cards.h"
#include "mgmt/cli/setup/sides.h"
#include "mgmt/cli/setup/step.h"

#include <stdlib.h>
#include <unistd.h>

#include "mgmt/cli/verbs.h"

struct question {
	step *ask;
	size_t k;
};

static step *const before[] = { step_language,	  step_site,	      step_label,    step_contact,
				step_responsible, step_purpose,	      step_mode,     step_admin_card,
				step_admin_vlan,  step_admin_address, step_terminals };
/* For a box that routes: asked for each interface until there are enough. */
static step *const each[] = { step_data_card, step_data_vlan,  step_data_address, step_zone,
			      step_class_of,  step_zone_label, step_owner };
/* For a box between two switches. Gateways come last, once for each network. */
static const struct question between[] = {
	{ step_shared_address, 0 }, { step_side_card, 0 },  { step_data_vlan, 0 },    { step_zone, 0 },
	{ step_class_of, 0 },	    { step_zone_label, 0 }, { step_owner, 0 },	      { step_hosts, 0 },
	{ step_side_card, 1 },	    { step_data_vlan, 1 },  { step_zone, 1 },	      { step_class_of, 1 },
	{ step_zone_label, 1 },	    { step_owner, 1 },	    { step_hosts, 1 },	      { step_gateway, 0 },
	{ step_gateway_side, 0 },   { step_gateway, 1 },    { step_gateway_side, 1 },
};

#define COUNT(x) (sizeof(x) / sizeof((x)[0]))

/* The question at a place; `ask` is NULL behind the last question. */
static struct question place_of(const struct setup *s, size_t at)
{
	size_t unasked = 2 * (SIDE_NETWORKS - s->sides.n_networks);

	if (at < COUNT(before))
		return (struct question){ before[at], 0 };
	at -= COUNT(before);
	if (s->between && at < COUNT(between) - unasked)
		return between[at];
	if (!s->between && at < SETUP_DATA * COUNT(each))
		return (struct question){ each[at % COUNT(each)], at / COUNT(each) };
	return (struct question){ NULL, 0 };
}

/* Asks the questions; a place is a question's number in their order. The result is shown behind the
 * last place. */
static int walk(struct setup *s)
{
	size_t at = 0, last = 0; /* last: the place from which "show" was called */
	bool showing = false;

	for (;;) {
		struct question p = showing ? (struct question){ step_show, 0 } : place_of(s, at);
		enum step_result r = p.ask(s, p.k);

		s->going_back = r == STEP_BACK;
		switch (r) {
		case STEP_GO:
			if (showing)
				return s->status;
			last = at++;
			showing = place_of(s, at).ask == NULL;
			break;
		case STEP_ENOUGH:
			last = at;
			showing = true;
			break;
		case STEP_BACK:
			if (showing)
				at = last;
			else if (at > 0)
				at--;
			showing = false;
			break;
		case STEP_STAY:
			break;
		case STEP_QUIT:
			step_tell(s, M_SETUP_QUIT);
			return CLI_NO;
		}
	}
}

static void tell_raised(struct setup *s)
{
	char names[SETUP_LINE] = "";

	for (size_t i = 0; i < s->cards.n; i++) {
		size_t n = strlen(names);

		if (s->cards.list[i].raised)
			snprintf(names + n, sizeof(names) - n, "%s%s", n > 0 ? " " : "", s->cards.list[i].name);
	}
	if (names[0] != '\0')
		step_tell(s, M_SETUP_RAISED, names);
}

int verb_setup(struct cli *c, const struct cli_args *a)
{
	struct setup *s;
	int status;

	if (c->json || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return cli_fail(c, CLI_INVALID, M_SETUP_NO_TERMINAL);
	if (geteuid() != 0)
		return cli_fail(c, CLI_CANNOT, M_SETUP_NO_ROOT);
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return cli_fail(c, CLI_CANNOT, M_CLI_NO_MEMORY);
	s->c = c;
	s->folder = a->n_operands > 0 ? a->operands[0] : CLI_BOX_FOLDER;
	cards_read(&s->cards);
	if (s->cards.n > 0) {
		step_tell(s, M_SETUP_BEGIN);
		setup_ask_to_the_end();
		links_raise(&s->cards);
		tell_raised(s);
		status = walk(s);
		links_lower(&s->cards);
	} else
		status = cli_fail(c, CLI_CANNOT, M_SETUP_NO_CARDS);
	free(s);
	return status;
}
