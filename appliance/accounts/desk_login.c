/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accounts for logins at the machine. The kernel and the supervisor say which login asks. The roles
 * that its account has at the time of each question say what it may do. There is no session: an
 * account that is disabled, or loses its login, has no rights from then on. Failed logins over the
 * web do not lock anybody out of the machine, because strangers can cause those.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/accounts/desk.h"
#include "appliance/wire/duty.h"

#define SAVE_USE_S 3600u /* the last use is written this often */

void desk_at_machine(struct desk *d, uint32_t id, const struct msg_at_machine *m, struct moment now)
{
	const struct addr nowhere = { .family = 0 };
	char login[LOGIN_NAME + 1];
	struct account *a;

	desk_copy_field(login, m->login, LOGIN_NAME);
	a = book_login_owner(&d->book, login, m->uid);
	/* If only the login's name or only its uid is the account's, the login belongs to another
	 * person, who came later. */
	if (a == NULL || a->disabled || strcmp(a->login, login) != 0 || a->login_uid != m->uid ||
	    !login_is_persons(m->uid)) {
		d->refused++;
		desk_refuse(d, id, ANSWER_NO, M_LOGIN_AT_MACHINE);
		return;
	}
	if (m->quiet == 0 && (now.wall_s - a->used >= SAVE_USE_S || now.wall_s < a->used)) {
		a->used = now.wall_s;
		desk_save(d);
	}
	desk_may(
		d, id, m->right, &nowhere, a->name, a->duties,
		json_pack("{s:s, s:o, s:o}", "via", "login", "name", json_text(a->name), "login", json_text(a->login)));
}

/* "auditor; login tanaka": the account's roles and its login at the machine. */
static void standing(const struct account *a, char out[EVENT_TEXT])
{
	char list[DUTIES_TEXT];

	snprintf(out, EVENT_TEXT, "%s%s%s", desk_duties_text(a->duties, list), a->login[0] != 0 ? "; login " : "",
		 a->login);
}

/* Saves, answers and records the change; restores the account when saving fails. */
static void changed(const struct desk_order *o, struct account *a, struct account *before)
{
	char was[EVENT_TEXT], is[EVENT_TEXT];

	if (desk_kept(o->d, o->id, a, before)) {
		standing(before, was);
		standing(a, is);
		desk_event(o->d, ACCOUNT_CHANGED, NULL, a->name, was, is, o->by, 1);
		desk_answer_account(o, a);
	}
	explicit_bzero(before, sizeof(*before));
}

void desk_login_add(const struct desk_order *o, struct account *a)
{
	const char *login = desk_said(o->said, "login"), *number = desk_said(o->said, "uid");
	struct account before;
	const struct account *owner;
	char *end = NULL;
	unsigned long uid;

	if (!login_is_name(login) || *number < '0' || *number > '9') {
		desk_refuse(o->d, o->id, ANSWER_INVALID, M_USER_NONSENSE);
		return;
	}
	uid = strtoul(number, &end, 10);
	if (*end != 0 || uid > UINT32_MAX || !login_is_persons((uint32_t)uid) || strcmp(login, "root") == 0) {
		desk_refuse(o->d, o->id, ANSWER_INVALID, M_USER_LOGIN_NEVER);
		return;
	}
	before = *a;
	a->login[0] = 0; /* its own earlier login does not count as taken */
	owner = book_login_owner(&o->d->book, login, (uint32_t)uid);
	if (owner != NULL) {
		desk_refuse(o->d, o->id, ANSWER_NO, M_USER_LOGIN_TAKEN, owner->name);
		*a = before;
		explicit_bzero(&before, sizeof(before));
		return;
	}
	snprintf(a->login, sizeof(a->login), "%s", login);
	a->login_uid = (uint32_t)uid;
	changed(o, a, &before);
}

void desk_login_remove(const struct desk_order *o, struct account *a)
{
	struct account before = *a;

	if (a->login[0] == 0) {
		desk_refuse(o->d, o->id, ANSWER_NO, M_USER_LOGIN_NONE, a->name);
		return;
	}
	a->login[0] = 0;
	a->login_uid = 0;
	changed(o, a, &before);
}
