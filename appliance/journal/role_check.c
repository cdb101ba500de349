/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks for reports over the web whether the records are whole. Each question checks some more of
 * them. The answer to the last question is the result, which is given again for FRESH_NS. People
 * who ask at the same time share one check. `sekisho journal verify` does the same without this
 * process.
 */
#include <stdlib.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/sentence.h"
#include "appliance/journal/role_private.h"
#include "appliance/journal/verify_json.h"

#define SECOND 1000000000ull
/* lines that one question checks, in some 20 ms; meanwhile nothing is read from the other roles */
#define LINES 4096u
#define FRESH_NS (10 * SECOND) /* time for which a result is given again */
#define LEFT_NS (60 * SECOND)  /* after so long without a question the check is given up */
#define KEYS_MOST 65536u

static void leave(struct role_check *c)
{
	journal_check_free(c->check);
	c->check = NULL;
	c->done_at = 0;
}

/* Begins a check by the public key beside the records, as on any other machine. */
static void begin(struct journal_role *j)
{
	struct role_check *c = &j->check;
	uint8_t *text = NULL;
	struct err e;
	size_t n = 0;

	leave(c);
	c->signs = file_read(j->chain.dirfd, "checkpoint.pem", KEYS_MOST, &text, &n, &e) == 0 &&
		   checkpoint_keys_read((const char *)text, n, &c->keys);
	free(text);
	c->trust = (struct journal_trust){ &c->keys, NULL };
	c->check = journal_check_new(j->chain.dirfd, c->signs ? &c->trust : NULL);
}

json_t *role_check_json(struct journal_role *j, uint64_t now, enum answer_status *ret_status)
{
	struct role_check *c = &j->check;
	struct err e;
	int r;

	*ret_status = ANSWER_YES;
	if (c->check == NULL || (c->done_at != 0 && now - c->done_at > FRESH_NS))
		begin(j);
	c->asked_at = now;
	r = c->check == NULL ? -1 : c->done_at != 0 ? 0 : journal_check_step(c->check, LINES, &e);
	if (r > 0)
		return json_pack("{s:b,s:I}", "more", 1, "records",
				 (json_int_t)journal_check_report(c->check)->records);
	if (r == 0) {
		c->done_at = c->done_at != 0 ? c->done_at : now;
		return journal_report_json(journal_check_report(c->check), c->signs);
	}
	leave(c);
	*ret_status = ANSWER_CANNOT;
	return json_pack("{s:o}", "error", json_sentence(M_REPORT_NO_RECORDS, "journal"));
}

uint64_t role_check_due(const struct journal_role *j)
{
	return j->check.check != NULL ? j->check.asked_at + LEFT_NS : UINT64_MAX;
}

void role_check_left(struct journal_role *j, uint64_t now)
{
	if (now >= role_check_due(j))
		leave(&j->check);
}
