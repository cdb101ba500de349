/* SPDX-License-Identifier: Apache-2.0 */
/* `sekisho journal verify FOLDER`: is a folder of records intact? Works offline on a copy, without
 * trusting the box. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/atomic_file.h"
#include "appliance/journal/verify.h"
#include "mgmt/cli/box/request.h"
#include "mgmt/cli/screen/table.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/render.h"
#include "mgmt/state/journal.h"

#define KEYS_MOST 65536u /* bytes of a file of keys */

static const enum message fault_texts[] = {
#define FAULT(id, word, text) [id] = (text),
#include "appliance/journal/fault.def"
};

static enum message verdict_text(const struct journal_report *r)
{
	if (r->faults > 0)
		return M_JOURNAL_DAMAGED;
	return r->open != 0 ? M_JOURNAL_UNJUDGED : M_JOURNAL_WHOLE;
}

static void print_signed(struct cli *c, const struct journal_report *r)
{
	if (r->checkpoints == 0)
		render_line(c, M_JOURNAL_NOT_SIGNED);
	else
		render_line(c, M_JOURNAL_SIGNED, (unsigned long long)r->signed_to, (unsigned long long)r->checkpoints,
			    (unsigned long long)(r->last > r->signed_to ? r->last - r->signed_to : 0));
	if (r->sent != 0)
		render_line(c, M_JOURNAL_SENT_TO, (unsigned long long)r->sent);
}

static void print_text(struct cli *c, const struct journal_report *r, bool keys)
{
	static const enum message heads[] = { M_COL_SEGMENT, M_COL_LINE, M_COL_EVENT, M_COL_WHAT };
	struct table *t = table_headed(4, 2, c->lang, heads);

	render_line(c, verdict_text(r), (unsigned long long)r->records, (unsigned long long)r->first,
		    (unsigned long long)r->last, (unsigned long long)r->faults);
	if ((r->open & JOURNAL_END_OPEN) != 0)
		render_line(c, M_JOURNAL_END_OPEN, (unsigned long long)r->last);
	if ((r->open & JOURNAL_BEGIN_OPEN) != 0)
		render_line(c, M_JOURNAL_BEGIN_OPEN, (unsigned long long)r->first);
	if (r->deleted != 0)
		render_line(c, M_JOURNAL_DELETED, (unsigned long long)r->deleted, (unsigned long long)r->deleted_by);
	if (keys)
		print_signed(c, r);
	table_wrap(t);
	table_right(t, 1);
	table_right(t, 2);
	for (size_t i = 0; i < r->n; i++) {
		table_cell(t, r->list[i].segment[0] != '\0' ? r->list[i].segment : "-");
		table_cellf(t, "%llu", (unsigned long long)r->list[i].line);
		table_cellf(t, r->list[i].seq != 0 ? "%llu" : "-", (unsigned long long)r->list[i].seq);
		table_cell(t, message_format(fault_texts[r->list[i].what], c->lang));
	}
	(void)table_end(t, c->out, c->color);
}

static int cannot(struct cli *c, const char *why)
{
	char *said = lost_text(c->lang, why);
	int status = cli_fail_text(c, CLI_CANNOT, said != NULL ? said : why);

	free(said);
	return status;
}

/* CLI_YES, or the status of a failure. */
static int read_keys(struct cli *c, const char *path, struct checkpoint_keys *ret)
{
	struct err e = { 0 };
	uint8_t *text = NULL;
	size_t n = 0;
	bool read;
	int r = file_read(AT_FDCWD, path, KEYS_MOST, &text, &n, &e);

	if (r < 0)
		return cli_fail_file(c, CLI_INVALID, path, -r);
	read = checkpoint_keys_read((const char *)text, n, ret);
	free(text);
	return read ? CLI_YES : cli_fail(c, CLI_INVALID, M_JOURNAL_NO_KEY, path);
}

int verb_journal_verify(struct cli *c, const struct cli_args *a)
{
	const char *key = a->values[OPT_JOURNAL_KEY], *head = a->values[OPT_JOURNAL_HEAD];
	struct checkpoint_keys keys = { 0 };
	struct checkpoint sent = { 0 };
	struct journal_trust trust = { &keys, NULL };
	struct journal_report r;
	struct err e = { 0 };
	int code;

	if (head != NULL && key == NULL)
		return cli_fail(c, CLI_INVALID, M_JOURNAL_HEAD_ALONE);
	code = key != NULL ? read_keys(c, key, &keys) : CLI_YES;
	if (code != CLI_YES)
		return code;
	code = head != NULL ? journal_newest_checkpoint(head, &keys, &sent, &e) : 1;
	if (code < 0)
		return cli_fail_file(c, CLI_INVALID, head, -code);
	if (code == 0)
		return cli_fail(c, CLI_INVALID, M_JOURNAL_NO_HEAD, head);
	trust.sent = head != NULL ? &sent : NULL;
	code = journal_verify(a->operands[0], key != NULL ? &trust : NULL, &r, &e);
	if (code == -ENOENT || code == -ENOTDIR)
		return cli_fail_file(c, CLI_INVALID, a->operands[0], -code);
	if (code < 0)
		return cannot(c, e.text);
	if (r.records == 0 && r.n == 0)
		return cli_fail(c, CLI_INVALID, M_JOURNAL_EMPTY, a->operands[0]);
	if (c->json)
		json_line(c->out, journal_report_json(&r, key != NULL));
	else
		print_text(c, &r, key != NULL);
	return r.faults == 0 && r.open == 0 ? CLI_YES : CLI_NO;
}

/* `sekisho journal checkpoint`: the journal signs its records, and tells its public key. */

/* Prints line by line, with control characters removed. */
static void lines(struct cli *c, const char *text)
{
	while (*text != '\0') {
		size_t n = strcspn(text, "\n");

		render_line(c, M_JOURNAL_CHECKPOINT_LINE, (int)n, text);
		text += n + (text[n] == '\n');
	}
}

static int print_checkpoint(struct cli *c, const json_t *answer, int status)
{
	render_line(c, M_JOURNAL_CHECKPOINT, ju(answer, "seq"));
	lines(c, js(ja(answer, "checkpoint"), "text"));
	lines(c, js(answer, "key"));
	return status;
}

int verb_journal_checkpoint(struct cli *c, const struct cli_args *a)
{
	return box_tell(c, &(struct msg_body){ .type = MSG_CHECKPOINT }, print_checkpoint);
}
