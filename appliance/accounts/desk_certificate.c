/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS client certificates as the second factor. TLS has proven the possession of the private key
 * before a byte of HTTP was read. Each question brings the certificate's SHA-256; it is looked up
 * here among those that root has enrolled. The certificate itself is never parsed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/accounts/desk.h"
#include "appliance/base/sha256.h"

#define SHOWN_DIGITS 8u /* bytes of a digest that people see, to tell certificates apart */

static const char *shown_text(const uint8_t shown[DIGEST_BYTES], char out[2 * SHOWN_DIGITS + 1])
{
	static const uint8_t none[DIGEST_BYTES];

	hex_text(shown, SHOWN_DIGITS, out);
	return memcmp(shown, none, DIGEST_BYTES) != 0 ? out : NULL;
}

void desk_certificate_login(struct desk *d, struct job *j, struct account *a, struct moment now)
{
	struct pin *p = account_pin_of(a, j->shown);
	char text[2 * SHOWN_DIGITS + 1];

	if (p == NULL) {
		desk_event(d, ACCOUNT_CERTIFICATE_REFUSED, &j->from, a->name, NULL, shown_text(j->shown, text), NULL,
			   1);
		desk_login_refused(d, j);
	} else if (now.wall_s >= p->until) {
		/* Both factors were right, so nobody has guessed: the answer may say what is
		 * wrong. */
		lockout_take_back(&d->lockout, j->name, &j->from);
		desk_event(d, ACCOUNT_CERTIFICATE_EXPIRED, &j->from, a->name, NULL, p->label, NULL, 1);
		d->refused++;
		desk_refuse(d, j->id, ANSWER_NO, M_CERTIFICATE_OVER);
	} else {
		p->used = now.wall_s;
		desk_let_in(d, j, a, false, now);
	}
}

/* ---- root's orders --------------------------------------------------------------------------- */

static bool read_pin(const json_t *said, struct pin *p)
{
	snprintf(p->label, sizeof(p->label), "%s", desk_said(said, "label"));
	p->until = strtoull(desk_said(said, "until"), NULL, 10);
	return pin_read(desk_said(said, "certificate"), p->digest) && pin_read(desk_said(said, "public"), p->public);
}

/* Saves the change and answers with the account; restores the account when saving fails. */
static bool kept(const struct desk_order *o, struct account *a, const struct account *before)
{
	if (!desk_kept(o->d, o->id, a, before))
		return false;
	desk_answer_account(o, a);
	return true;
}

void desk_certificate_add(const struct desk_order *o, struct account *a)
{
	struct account before = *a;
	struct pin p = { .since = o->now.wall_s };
	const struct account *owner;

	if (!read_pin(o->said, &p)) {
		desk_refuse(o->d, o->id, ANSWER_INVALID, M_USER_NONSENSE);
		return;
	}
	owner = book_pin_owner(&o->d->book, p.public);
	if (p.label[0] == 0 || !text_is_plain(desk_said(o->said, "label"), KEY_LABEL) ||
	    account_pin(a, p.label) != NULL) {
		desk_refuse(o->d, o->id, ANSWER_INVALID, M_CERTIFICATE_LABEL);
	} else if (o->now.wall_s >= p.until) {
		desk_refuse(o->d, o->id, ANSWER_INVALID, M_CERTIFICATE_OVER);
	} else if ((owner != NULL && owner != a) || account_pin_of(a, p.digest) != NULL) {
		desk_refuse(o->d, o->id, ANSWER_NO, M_CERTIFICATE_TAKEN, owner != NULL ? owner->name : a->name);
	} else if (a->n_pins == PINS_EACH) {
		desk_refuse(o->d, o->id, ANSWER_NO, M_CERTIFICATE_FULL);
	} else {
		a->pins[a->n_pins++] = p;
		if (kept(o, a, &before))
			desk_event(o->d, ACCOUNT_CERTIFICATE_ADDED, NULL, a->name, NULL, p.label, o->by, 1);
	}
	explicit_bzero(&before, sizeof(before));
}

/* Ends all sessions of the account: whoever found a lost card may have opened any of them. */
void desk_certificate_remove(const struct desk_order *o, struct account *a)
{
	struct account before = *a;
	struct pin *p = account_pin(a, desk_said(o->said, "label"));

	if (p == NULL) {
		desk_refuse(o->d, o->id, ANSWER_NO, M_CERTIFICATE_UNKNOWN, a->name);
		return;
	}
	account_remove_pin(a, p);
	if (kept(o, a, &before)) {
		sessions_end_of(&o->d->sessions, a->name, o->now.ns);
		desk_event(o->d, ACCOUNT_CERTIFICATE_REMOVED, o->from, a->name, NULL, desk_said(o->said, "label"),
			   o->by, 1);
	}
	explicit_bzero(&before, sizeof(before));
}
