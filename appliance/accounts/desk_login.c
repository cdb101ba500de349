/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logins of the machine that are accounts': who sits there is the kernel's word and the supervisor's, what he may is the roles' of his account, as
 * they stand at that question. There is no session: whoever is disabled, or whose login is taken away, has nothing from then on. Failed logins over the
 * web lock nobody out here, since a stranger makes those.
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
	/* The same name with another number, or the other way round, is somebody else who came after him. */
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

/* "auditor; login tanaka": what the account may, and who that is at the machine. */
static void standing(const struct account *a, const char *login, char out[EVENT_TEXT])
{
	size_t n = 0;

	out[0] = 0;
	for (unsigned i = 0; i < DUTY_COUNT && n < EVENT_TEXT; i++)
		if ((a->duties >> i & 1u) != 0)
			n += (size_t)snprintf(out + n, EVENT_TEXT - n, "%s%s", n > 0 ? ", " : "", duty_word(i));
	if (*login != 0 && n < EVENT_TEXT)
		snprintf(out + n, EVENT_TEXT - n, "; login %s", login);
}

static void say_change(struct desk *d, const struct account *a, const char *before, const char *by)
{
	char was[EVENT_TEXT], is[EVENT_TEXT];

	standing(a, before, was);
	standing(a, a->login, is);
	desk_event(d, ACCOUNT_CHANGED, NULL, a->name, was, is, by, 1);
}

/* Keeps the change, or gives back what was and says so. */
static bool kept(struct desk *d, uint32_t id, struct account *a, const char *login, uint32_t uid)
{
	if (desk_save(d))
		return true;
	snprintf(a->login, sizeof(a->login), "%s", login);
	a->login_uid = uid;
	desk_refuse(d, id, ANSWER_CANNOT, M_USER_UNSAVED);
	return false;
}

static void answer(struct desk *d, uint32_t id, const struct account *a, struct moment now)
{
	desk_answer(d, id, ANSWER_YES, json_pack("{s:o}", "account", book_account_json(a, now.wall_s)));
}

void desk_login_add(struct desk *d, uint32_t id, struct account *a, const json_t *said, const char *by,
		    struct moment now)
{
	const char *login = json_string_value(json_object_get(said, "login"));
	const char *number = json_string_value(json_object_get(said, "uid"));
	char was[LOGIN_MOST + 1], *end = NULL;
	uint32_t was_uid = a->login_uid;
	const struct account *owner;
	unsigned long uid;

	if (login == NULL || !login_is_name(login) || number == NULL || *number < '0' || *number > '9') {
		desk_refuse(d, id, ANSWER_INVALID, M_USER_NONSENSE);
		return;
	}
	uid = strtoul(number, &end, 10);
	if (*end != 0 || uid > UINT32_MAX || !login_is_persons((uint32_t)uid) || strcmp(login, "root") == 0) {
		desk_refuse(d, id, ANSWER_INVALID, M_USER_LOGIN_NEVER);
		return;
	}
	memcpy(was, a->login, sizeof(was));
	a->login[0] = 0; /* its own earlier one is in nobody's way */
	owner = book_login_owner(&d->book, login, (uint32_t)uid);
	if (owner != NULL) {
		memcpy(a->login, was, sizeof(was));
		desk_refuse(d, id, ANSWER_NO, M_USER_LOGIN_TAKEN, owner->name);
		return;
	}
	snprintf(a->login, sizeof(a->login), "%s", login);
	a->login_uid = (uint32_t)uid;
	if (!kept(d, id, a, was, was_uid))
		return;
	say_change(d, a, was, by);
	answer(d, id, a, now);
}

void desk_login_remove(struct desk *d, uint32_t id, struct account *a, const char *by, struct moment now)
{
	char was[LOGIN_MOST + 1];
	uint32_t was_uid = a->login_uid;

	if (a->login[0] == 0) {
		desk_refuse(d, id, ANSWER_NO, M_USER_LOGIN_NONE, a->name);
		return;
	}
	memcpy(was, a->login, sizeof(was));
	a->login[0] = 0;
	a->login_uid = 0;
	if (!kept(d, id, a, was, was_uid))
		return;
	say_change(d, a, was, by);
	answer(d, id, a, now);
}
