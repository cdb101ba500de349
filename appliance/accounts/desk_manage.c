/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an account manager may do over the web with accounts of others. He needs the right and types
 * his own passphrase again. His order is then carried out like root's (desk_user.c), in his name,
 * within these bounds (docs/architecture.md says why):
 * - never his own account;
 * - of another account manager, he can only disable the account and end the sessions: root alone
 *   gives and takes that role;
 * - if he may himself write, approve or apply policies, he lets in nobody else who may do so;
 * - he cannot undo what somebody else has done since he looked.
 *
 * He has seen the passphrase that he hands out, so its owner has to choose another
 * (desk_passphrase.c).
 */
#include <stdio.h>
#include <string.h>

#include "appliance/accounts/desk.h"
#include "appliance/accounts/desk_ground.h"
#include "appliance/accounts/desk_leaked.h"
#include "appliance/accounts/desk_manage.h"
#include "appliance/accounts/desk_passphrase.h"
#include "appliance/accounts/desk_user.h"
#include "appliance/accounts/job.h"
#include "appliance/accounts/lockout.h"
#include "appliance/accounts/sessions.h"
#include "appliance/wire/duty.h"

#define TOLD 80 /* bytes of an order that a record quotes */
/* The rights that it takes to put a policy into force. */
#define POLICY_RIGHTS (UINT32_C(1) << RIGHT_EDIT | UINT32_C(1) << RIGHT_APPROVE | UINT32_C(1) << RIGHT_APPLY)

static const enum user_order root_order[MANAGE_ORDERS] = {
#define ORDER(id, word, root) [id] = (root),
#include "appliance/wire/manage.def"
};

/* Orders that give new secrets or a way back in: the giver could use them himself. */
static bool lets_in(enum manage_order o)
{
	return o == MANAGE_ADD || o == MANAGE_ENABLE || o == MANAGE_PASSPHRASE || o == MANAGE_TOTP ||
	       o == MANAGE_RECOVERY;
}

static bool has_roles(enum manage_order o)
{
	return o == MANAGE_ADD || o == MANAGE_CHANGE;
}

/* Checks the form of an order's members. MESSAGE_COUNT: they are right. */
static enum message unfit_order(enum manage_order o, const json_t *said, uint32_t *ret_duties)
{
	const char *full = desk_said(said, "full_name"), *reason = desk_said(said, "reason");

	*ret_duties = 0;
	if (!has_roles(o))
		return MESSAGE_COUNT;
	if (!desk_read_duties(desk_said(said, "roles"), PERSON_DUTIES, ret_duties))
		return M_MANAGE_ROLES;
	if (text_is_blank(full, ACCOUNT_FULL) || text_is_blank(reason, ACCOUNT_REASON) ||
	    !text_is_plain(full, ACCOUNT_FULL) || !text_is_plain(reason, ACCOUNT_REASON))
		return M_MANAGE_WHO;
	return MESSAGE_COUNT;
}

static enum message forbidden(enum manage_order o, const struct account *by, const struct account *of, uint32_t duties)
{
	uint32_t had = of != NULL ? of->duties : 0;
	uint32_t given = duty_rights(has_roles(o) ? duties & ~had : 0) | (lets_in(o) ? duty_rights(had) : 0);

	if (of == by)
		return M_MANAGE_OWN;
	if (of != NULL && duty_may(of->duties, RIGHT_ACCOUNTS) && o != MANAGE_DISABLE && o != MANAGE_END_SESSIONS)
		return M_MANAGE_MANAGER;
	if (duty_may(duties, RIGHT_ACCOUNTS))
		return M_MANAGE_MANAGER_ROLE;
	if ((duty_rights(by->duties) & POLICY_RIGHTS) != 0 && (given & POLICY_RIGHTS) != 0)
		return M_MANAGE_SEPARATE;
	return MESSAGE_COUNT;
}

static void refuse_rule(struct desk *d, const struct job *j, const char *name, enum message why)
{
	char told[TOLD];

	snprintf(told, sizeof(told), "%s %s", manage_word(j->manage), name);
	desk_event(d, ACCOUNT_ORDER_REFUSED, (struct account_note){ .from = &j->from, .object = j->by, .after = told });
	desk_refuse(d, j->id, ANSWER_NO, why);
}

/* True: the order may be carried out. */
static bool judge_order(struct desk *d, const struct job *j, const struct account *by, const json_t *said)
{
	const struct account *of = book_account(&d->book, desk_said(said, "name"));
	const char *name = text_is_name(desk_said(said, "name")) ? desk_said(said, "name") : "?";
	char seen[ACCOUNT_SEEN] = "";
	enum message why;
	uint32_t duties;

	if (of == NULL && j->manage != MANAGE_ADD) {
		desk_refuse(d, j->id, ANSWER_NO, M_USER_UNKNOWN, name);
		return false;
	}
	why = unfit_order(j->manage, said, &duties);
	if (why != MESSAGE_COUNT) {
		desk_refuse(d, j->id, ANSWER_INVALID, why);
		return false;
	}
	why = forbidden(j->manage, by, of, duties);
	if (why != MESSAGE_COUNT) {
		refuse_rule(d, j, name, why);
		return false;
	}
	if (j->manage == MANAGE_ADD)
		return true;
	account_seen(of, seen);
	if (seen[0] == 0 || strcmp(seen, desk_said(said, "seen")) != 0) {
		desk_refuse(d, j->id, ANSWER_NO, M_MANAGE_CHANGED, name);
		return false;
	}
	if (j->manage == MANAGE_REMOVE && !of->disabled) {
		desk_refuse(d, j->id, ANSWER_NO, M_MANAGE_DISABLE_FIRST, name);
		return false;
	}
	return true;
}

static json_t *said_of(const struct job *j)
{
	json_t *said = json_loads(j->proof, JSON_REJECT_DUPLICATES, NULL);

	/* A passphrase for somebody else is generated here, never typed. */
	json_object_del(said, "passphrase");
	return said;
}

/* The manager has proved with his own passphrase who he is. Carries out his order. */
static void manage_begin(struct desk *d, struct job *j, const struct account *by, struct moment now)
{
	json_t *said = said_of(j);

	lockout_forget(&d->lockout, j->name, &j->from);
	j->order = root_order[j->manage];
	if (!json_is_object(said))
		desk_refuse(d, j->id, ANSWER_INVALID, M_USER_NONSENSE);
	else if (judge_order(d, j, by, said))
		desk_user_over_web(d, j, said, now);
	json_decref(said);
}

/* The hash of the generated passphrase is there. The manager may have lost his right meanwhile, or
 * the other account may be another person's now. */
static void manage_finish(struct desk *d, struct job *j, const struct hash_answer *h, struct moment now)
{
	const struct account *by;
	json_t *said;

	snprintf(j->name, sizeof(j->name), "%.*s", (int)ACCOUNT_NAME, j->by);
	j->deed = false; /* when the account is gone, the answer says so */
	by = desk_still_there(d, j, now);
	if (by == NULL)
		return;
	j->deed = true;
	said = said_of(j);
	if (!duty_may(by->duties, MANAGE_RIGHT)) {
		desk_refuse(d, j->id, ANSWER_NO, M_LOGIN_NO_RIGHT);
	} else if (judge_order(d, j, by, said)) {
		snprintf(j->name, sizeof(j->name), "%s", desk_said(said, "name"));
		desk_user_hashed(d, j, h, now);
	}
	json_decref(said);
}

bool desk_manage_hashed(struct desk *d, struct job *j, const struct hash_answer *h, struct moment now)
{
	const struct account *by;

	if (j->deed) {
		manage_finish(d, j, h, now);
		return false;
	}
	by = desk_still_there(d, j, now);
	if (by == NULL)
		return false;
	j->deed = true;
	if (!desk_typed_right(d, j, by, h, M_MANAGE_REFUSED))
		return false;
	if (!duty_may(by->duties, MANAGE_RIGHT))
		desk_refuse(d, j->id, ANSWER_NO, M_LOGIN_NO_RIGHT);
	else if (j->leaked)
		desk_leaked_typed(d, j, now);
	else
		manage_begin(d, j, by, now);
	return j->used && j->hash_id != 0;
}

void desk_manage(struct desk *d, uint32_t id, const struct msg_manage *m, struct moment now)
{
	struct addr from = desk_from(m->family, m->from);
	const struct account *a;
	struct session *x;
	struct job *j;

	a = desk_person(d, id, m->secret, &from, m->shown, now, &x);
	if (a == NULL)
		return;
	if (a->handed || x->leaked) {
		desk_refuse(d, id, ANSWER_INVALID, a->handed ? M_LOGIN_CHOOSE : M_LOGIN_LEAKED);
		return;
	}
	if (!duty_may(a->duties, MANAGE_RIGHT)) {
		desk_event(
			d, ACCOUNT_FORBIDDEN,
			(struct account_note){ .from = &from, .object = a->name, .after = right_word(MANAGE_RIGHT) });
		desk_refuse(d, id, ANSWER_INVALID, M_LOGIN_NO_RIGHT);
		return;
	}
	j = desk_again(d, id, JOB_MANAGE, &from, m->shown, m->secret, m->phrase, now);
	if (j == NULL)
		return;
	j->manage = (enum manage_order)m->order;
	snprintf(j->label, sizeof(j->label), "%s", manage_word(j->manage));
	snprintf(j->proof, sizeof(j->proof), "%s", m->text);
}
