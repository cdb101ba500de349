/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts the register of a whole backup in the place of this box's, in one rename of its file. People
 * then log in with what they had: passphrase, authenticator, security keys, unused recovery codes.
 * A backup also brings back what was taken away since it was made, so the answer lists which
 * accounts are added, changed and removed. A register that somebody uses is only replaced if the
 * order says so.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/accounts/book_json.h"
#include "appliance/accounts/desk.h"
#include "appliance/accounts/desk_ground.h"
#include "appliance/accounts/desk_job.h"
#include "appliance/accounts/desk_restore.h"
#include "appliance/accounts/job.h"
#include "appliance/base/memfd.h"

#define SHA256_DIGITS 64u
#define MADE_MOST 32u

static json_t *account_line(const struct account *a)
{
	return json_pack("{s:s, s:o, s:o, s:b}", "name", a->name, "full_name", json_text(a->full), "roles",
			 duties_json(a->duties), "disabled", a->disabled);
}

/* The accounts of `b` that `other` lacks. */
static json_t *only_in(struct book *b, struct book *other)
{
	json_t *list = json_array();

	for (size_t i = 0; i < b->n_accounts; i++)
		if (book_account(other, b->accounts[i].name) == NULL)
			json_array_append_new(list, account_line(&b->accounts[i]));
	return list;
}

static json_t *tokens_only_in(struct book *b, struct book *other)
{
	json_t *list = json_array();

	for (size_t i = 0; i < b->n_tokens; i++)
		if (book_token(other, b->tokens[i].id) == NULL)
			json_array_append_new(list, json_text(b->tokens[i].label));
	return list;
}

/* The accounts in both registers, as the backup has them: with `same` the equal ones, otherwise
 * those that differ. */
static json_t *in_both(struct book *b, struct book *backup, bool same)
{
	json_t *list = json_array();

	for (size_t i = 0; i < backup->n_accounts; i++) {
		const struct account *here = book_account(b, backup->accounts[i].name);

		if (here != NULL && account_same(here, &backup->accounts[i]) == same)
			json_array_append_new(list, account_line(&backup->accounts[i]));
	}
	return list;
}

/* Whether the register of this box is in use and the backup's differs from it. A backup that only
 * brings back what was removed here differs, too: its restore has to be ordered. A single account
 * whose owner has not logged in yet does not count as use. */
static bool in_use(struct book *b, struct book *backup)
{
	bool fresh = b->n_accounts == 0 || (b->n_accounts == 1 && b->accounts[0].used == 0);

	if (!fresh && (b->n_accounts != backup->n_accounts || b->n_tokens != backup->n_tokens ||
		       b->one_person.enough != backup->one_person.enough))
		return true;
	for (size_t i = 0; i < b->n_accounts && !fresh; i++) {
		const struct account *other = book_account(backup, b->accounts[i].name);

		if (other == NULL || !account_same(&b->accounts[i], other))
			return true;
	}
	for (size_t i = 0; i < b->n_tokens; i++)
		if (book_token(backup, b->tokens[i].id) == NULL)
			return true;
	return false;
}

static json_t *books_difference(struct book *b, struct book *backup)
{
	return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b}", "accounts", (json_int_t)backup->n_accounts,
			 "come", only_in(backup, b), "changed", in_both(b, backup, false), "same",
			 in_both(b, backup, true), "go", only_in(b, backup), "tokens_come", tokens_only_in(backup, b),
			 "tokens_go", tokens_only_in(b, backup), "two_persons", !backup->one_person.enough, "in_use",
			 in_use(b, backup));
}

/* Ends all sessions and jobs: a login that the former register began to judge lets nobody in. */
static void end_all(struct desk *d)
{
	memset(&d->sessions.all, 0, sizeof(d->sessions.all));
	for (struct job *j = d->jobs; j < d->jobs + DESK_JOBS; j++) {
		if (!j->used)
			continue;
		j->deed = false;
		desk_refuse(d, j->id, ANSWER_CANNOT, M_LOGIN_BUSY);
		desk_job_end(j);
	}
}

/* Takes the backup's register over, unless it cannot be saved. */
static bool book_taken(struct desk *d, struct book *backup)
{
	struct book *before = malloc(sizeof(*before));

	if (before == NULL)
		return false;
	*before = d->book;
	backup->dirfd = d->book.dirfd;
	for (size_t i = 0; i < backup->n_accounts; i++)
		if (backup->accounts[i].n_keys == 0)
			secret_make(backup->accounts[i].handle, ACCOUNT_HANDLE);
	d->book = *backup;
	if (!desk_save(d)) {
		d->book = *before;
		book_wipe(before);
		free(before);
		return false;
	}
	d->damaged = false;
	book_wipe(before);
	free(before);
	return true;
}

static void record_restore(struct desk *d, const json_t *said, const char *by, size_t before)
{
	const char *file = desk_said(said, "sha256"), *made = desk_said(said, "made");
	char count[12];

	snprintf(count, sizeof(count), "%zu", before);
	desk_event(d, ACCOUNT_RESTORED,
		   (struct account_note){ .object = strlen(file) == SHA256_DIGITS &&
								    strspn(file, "0123456789abcdef") == SHA256_DIGITS
							    ? file
							    : NULL,
					  .before = count,
					  .after = *made != 0 && text_is_plain(made, MADE_MOST) ? made : NULL,
					  .by = by,
					  .count = d->book.n_accounts });
}

static void carry_out(struct desk *d, uint32_t id, const struct msg_user *m, const json_t *said, struct book *backup)
{
	json_t *lists = books_difference(&d->book, backup);
	size_t before = d->book.n_accounts;
	char by[USER_BY + 1];

	memcpy(by, m->by, USER_BY);
	by[USER_BY] = 0;
	if (!text_is_plain(by, ACCOUNT_BY))
		snprintf(by, sizeof(by), "?");
	if (m->order == USER_RESTORE_TRY) {
		desk_answer(d, id, ANSWER_YES, lists);
		return;
	}
	if (*desk_said(said, "replace") == 0 && in_use(&d->book, backup)) {
		desk_refuse(d, id, ANSWER_NO, M_WHOLE_IN_USE);
	} else if (!book_taken(d, backup)) {
		desk_refuse(d, id, ANSWER_CANNOT, M_USER_UNSAVED);
	} else {
		end_all(d);
		record_restore(d, said, by, before);
		desk_answer(d, id, ANSWER_YES, json_incref(lists));
	}
	json_decref(lists);
}

void desk_restore(struct desk *d, uint32_t id, const struct msg_user *m, int memfd)
{
	struct book *backup = calloc(1, sizeof(*backup));
	json_t *said = json_loads(m->text, JSON_REJECT_DUPLICATES, NULL);
	struct err e = { 0 };
	uint8_t *p = NULL;
	size_t n = 0;
	int r = -ENOMEM;

	if (backup != NULL)
		r = memfd >= 0 ? memfd_read(memfd, BOOK_FILE_MOST, &p, &n, &e) : -EBADMSG;
	if (r == 0)
		r = book_of_file(p, n, backup, &e);
	if (r == 0 && json_is_object(said) && backup->n_accounts > 0)
		carry_out(d, id, m, said, backup);
	else if (r == -ENOMEM)
		desk_refuse(d, id, ANSWER_CANNOT, M_CLI_NO_MEMORY);
	else
		desk_refuse(d, id, ANSWER_INVALID, M_WHOLE_NO_REGISTER);
	if (p != NULL)
		explicit_bzero(p, n);
	free(p);
	if (backup != NULL)
		book_wipe(backup);
	free(backup);
	json_decref(said);
}
