/* SPDX-License-Identifier: Apache-2.0 */
/* Why the supervisor did not begin an operation, in words for people. Trials and the history often
 * are the reason, so the words quote them. */
#include <stdio.h>
#include <string.h>

#include "appliance/base/json_each.h"
#include "appliance/control/control.h"
#include "appliance/control/facts.h"
#include "appliance/wire/hours.h"
#include "policy/ir/json.h"
#include "policy/ir/needs.h"

#define WHEN 40u

typedef unsigned long long number;

/* How the last trial ended, and when, if there was one. */
static json_t *no_trial(const struct control *s)
{
	static const enum message how[WHY_COUNT] = {
		[WHY_CONFIRMED] = M_TRIAL_CONFIRMED,   [WHY_TIMEOUT] = M_TRIAL_TIMEOUT,
		[WHY_RESTART] = M_TRIAL_RESTART,       [WHY_CALLED_OFF] = M_TRIAL_CALLED_OFF,
		[WHY_TAKEN_OVER] = M_TRIAL_TAKEN_OVER,
	};
	const struct generation_record *g = generation_last_trial(&s->store);
	char when[WHEN];

	if (g == NULL || how[g->why] == 0)
		return json_sentence(M_OP_NOTHING_WAITS);
	moment_text(g->changed_ns, when);
	return json_sentence(how[g->why], (number)g->number, when, (number)s->now->number, g->changed_by);
}

static json_t *trial_stands(const struct control *s)
{
	const struct generation_record *g = generation_find(&s->store, s->facts.trial);
	char since[WHEN], until[WHEN];

	moment_text(g != NULL ? g->applied_ns : 0, since);
	moment_text(s->facts.until, until);
	return json_sentence(M_OP_TRIAL, (number)s->facts.trial, g != NULL ? g->by : "-", since, until);
}

/* Which of the trial's needs were not heard during it. */
static json_t *not_proven(const struct control *s)
{
	json_t *needs = ir_needs_json(s->now->ir, ir_needs_left(s->now->ir, s->facts.proven));
	char until[WHEN], names[400] = "";

	json_each_at(i, need, needs) {
		size_t n = strlen(names);

		snprintf(names + n, sizeof(names) - n, "%s%s", i > 0 ? ", " : "",
			 json_string_value(json_object_get(need, "label")));
	}
	json_decref(needs);
	moment_text(s->facts.until, until);
	return json_sentence(M_TRIAL_UNHEARD, (number)s->facts.trial, names, until);
}

static json_t *rolled_back(const struct control *s, number further)
{
	const struct generation_record *g = generation_find(&s->store, s->now->number);
	char when[WHEN];

	moment_text(g != NULL ? g->changed_ns : 0, when);
	return json_sentence(further != 0 ? M_OP_ROLLED_BACK : M_OP_ROLLED_BACK_LAST, (number)s->now->number, when,
			     g != NULL ? g->changed_by : "-", (number)(g != NULL ? g->other : 0), further);
}

static json_t *busy_json(number kind, const char *by)
{
	static const enum message names[OP_KINDS] = {
		[OP_NONE] = M_OP_NAME_BOOT,	[OP_BOOT] = M_OP_NAME_BOOT,	    [OP_APPLY] = M_OP_NAME_APPLY,
		[OP_DRY_RUN] = M_OP_NAME_APPLY, [OP_ROLLBACK] = M_OP_NAME_ROLLBACK, [OP_REVERT] = M_OP_NAME_REVERT,
		[OP_CONFIRM] = M_OP_NAME_APPLY, [OP_RELEASE] = M_OP_NAME_RELEASE,
	};
	json_t *why = json_object();

	for (int l = 0; l < LANGUAGES; l++) {
		char name[120], text[300];

		message_text(name, sizeof(name), (enum lang)l, names[kind < OP_KINDS ? kind : OP_NONE],
			     by != NULL ? by : "-");
		message_text(text, sizeof(text), (enum lang)l, M_OP_BUSY, name);
		json_object_set_new(why, lang_name((enum lang)l), json_text(text));
	}
	return why;
}

json_t *refusal_json(const struct control *s, const json_t *x)
{
	const number n = (number)json_integer_value(json_object_get(x, "number"));

	switch ((enum op_refusal)json_integer_value(json_object_get(x, "refused"))) {
	case REFUSAL_NO_TRIAL:
		return no_trial(s);
	case REFUSAL_TRIAL:
		return trial_stands(s);
	case REFUSAL_OTHER_TRIAL:
		return json_sentence(M_CHANGE_OTHER_TRIAL, (number)s->facts.trial, n);
	case REFUSAL_UNHEARD:
		return not_proven(s);
	case REFUSAL_MOVED:
		return json_sentence(M_CHANGE_MOVED, (number)s->now->number);
	case REFUSAL_ROLLED_BACK:
		return rolled_back(s, n);
	case REFUSAL_NO_SUCH:
		return json_sentence(M_OP_NO_SUCH, n);
	case REFUSAL_NO_PREVIOUS:
		return json_sentence(M_OP_NO_PREVIOUS);
	case REFUSAL_SAME:
		return json_sentence(M_OP_SAME_POLICY, n);
	case REFUSAL_FURTHER:
		return json_sentence(M_CHANGE_FURTHER_BACK, n);
	case REFUSAL_BUSY:
		return busy_json(n, json_string_value(json_object_get(x, "by")));
	case REFUSAL_NONE:
	case REFUSALS:
		break;
	}
	return NULL;
}
