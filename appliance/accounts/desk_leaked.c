/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of leaked passphrases. Nobody may choose a passphrase in the list, and whoever uses one
 * must choose another. Also root's orders about the list. Somebody who has logged in with a leaked
 * passphrase has also shown a second factor, so he is let in, but his session can only choose
 * another passphrase. The account keeps no mark of this: a stored hash cannot be looked up in the
 * list, so each login is judged by the list of that moment.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "appliance/accounts/desk.h"
#include "appliance/accounts/desk_ground.h"
#include "appliance/accounts/desk_leaked.h"
#include "appliance/accounts/job.h"
#include "appliance/accounts/leaked.h"
#include "appliance/accounts/lockout.h"
#include "appliance/accounts/sessions.h"

static void put_by(char out[ACCOUNT_BY + 1], const char *by)
{
	snprintf(out, ACCOUNT_BY + 1, "%.*s", (int)strnlen(by, USER_BY), by);
	if (!text_is_plain(out, ACCOUNT_BY))
		snprintf(out, ACCOUNT_BY + 1, "?");
}

bool desk_leaked(struct desk *d, const char *phrase)
{
	bool damaged, found = leaked_has(&d->leaked, phrase, &damaged);

	if (damaged)
		desk_event(d, ACCOUNT_LEAKED_DAMAGED, (struct account_note){ 0 });
	return found;
}

bool desk_phrase_good(struct desk *d, uint32_t id, const char *phrase, const char *name)
{
	static const enum message why[] = {
		[PASSPHRASE_SHORT] = M_PASSPHRASE_SHORT,     [PASSPHRASE_LONG] = M_PASSPHRASE_LONG,
		[PASSPHRASE_NO_TEXT] = M_PASSPHRASE_NO_TEXT, [PASSPHRASE_COMMON] = M_PASSPHRASE_COMMON,
		[PASSPHRASE_LEAKED] = M_PASSPHRASE_LEAKED,
	};
	enum passphrase p = passphrase_judge(phrase, name);

	if (p == PASSPHRASE_GOOD && desk_leaked(d, phrase))
		p = PASSPHRASE_LEAKED;
	if (p != PASSPHRASE_GOOD)
		desk_refuse(d, id, ANSWER_INVALID, why[p]);
	return p == PASSPHRASE_GOOD;
}

void desk_leaked_typed(struct desk *d, struct job *j, struct moment now)
{
	struct session *x = sessions_find(&d->sessions, j->secret, now.ns);

	/* The passphrase was right, so this does not count as a guess. */
	lockout_forget(&d->lockout, j->name, &j->from);
	if (x != NULL)
		x->leaked = true;
	desk_event(d, ACCOUNT_LEAKED_USED, (struct account_note){ .from = &j->from, .object = j->name });
	desk_refuse(d, j->id, ANSWER_INVALID, M_LOGIN_LEAKED);
}

json_t *desk_leaked_json(const struct desk *d)
{
	return json_pack("{s:I, s:o, s:o, s:b}", "count", (json_int_t)d->leaked.count, "since",
			 d->leaked.count > 0 ? json_time(d->leaked.loaded * 1000000000u) : json_null(), "by",
			 d->leaked.by[0] != '\0' ? json_text(d->leaked.by) : json_null(), "damaged", d->leaked.damaged);
}

void desk_leaked_show(struct desk *d, uint32_t id)
{
	desk_answer(d, id, ANSWER_YES, json_pack("{s:o}", "leaked", desk_leaked_json(d)));
}

/* The number of entries as text; NULL: none. */
static const char *had(uint64_t count, char out[24])
{
	snprintf(out, 24, "%llu", (unsigned long long)count);
	return count > 0 ? out : NULL;
}

void desk_leaked_remove(const struct desk_order *o)
{
	struct desk *d = o->d;
	uint64_t count = d->leaked.count;
	char before[24];
	int r = leaked_remove(&d->leaked);

	if (r == -EBUSY) {
		desk_refuse(d, o->id, ANSWER_NO, M_LEAKED_BUSY);
	} else if (r == -ENOENT) {
		desk_refuse(d, o->id, ANSWER_NO, M_LEAKED_NONE);
	} else if (r < 0) {
		desk_refuse(d, o->id, ANSWER_CANNOT, M_USER_UNSAVED);
	} else {
		desk_event(d, ACCOUNT_LEAKED_REMOVED,
			   (struct account_note){ .before = had(count, before), .by = o->by });
		desk_leaked_show(d, o->id);
	}
}

static void not_taken(struct desk *d, uint32_t id, int r)
{
	if (r == -EBUSY)
		desk_refuse(d, id, ANSWER_NO, M_LEAKED_BUSY);
	else if (r == -EBADMSG)
		desk_refuse(d, id, ANSWER_INVALID, M_LEAKED_NOT);
	else
		desk_refuse(d, id, ANSWER_CANNOT, M_USER_UNSAVED);
}

void desk_leaked_load(struct desk *d, uint32_t id, const struct msg_user *m, int memfd)
{
	struct leaked_order *o = &d->leaked_order;
	int r = memfd >= 0 ? leaked_take(&d->leaked, memfd) : -EBADMSG;

	if (r < 0) {
		not_taken(d, id, r);
		return;
	}
	*o = (struct leaked_order){ .on = true, .id = id };
	put_by(o->by, (const char *)m->by);
}

bool desk_leaked_waits(const struct desk *d)
{
	return d->leaked_order.on;
}

void desk_leaked_step(struct desk *d, struct moment now)
{
	struct leaked_order *o = &d->leaked_order;
	uint64_t count = d->leaked.count;
	char before[24];
	int r;

	if (!o->on)
		return;
	r = leaked_step(&d->leaked, now.wall_s);
	if (r == 1)
		return;
	o->on = false;
	if (r < 0) {
		not_taken(d, o->id, r);
		return;
	}
	leaked_ordered_by(&d->leaked, o->by);
	desk_event(d, ACCOUNT_LEAKED_LOADED,
		   (struct account_note){ .before = had(count, before), .by = o->by, .count = d->leaked.count });
	desk_leaked_show(d, o->id);
}
