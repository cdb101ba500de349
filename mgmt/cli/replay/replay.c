/* SPDX-License-Identifier: Apache-2.0 */
/* `sekisho replay`: what would this policy have done with this capture, including inspection? */
#include <errno.h>
#include <sys/stat.h>

#include "mgmt/cli/policy/source.h"
#include "mgmt/cli/replay/book.h"
#include "mgmt/cli/replay/print.h"
#include "mgmt/cli/replay/run.h"
#include "mgmt/cli/verbs.h"

struct printer {
	struct cli *cli;
	const struct ir *ir;
};

static void print_pdu(void *ctx, const struct flow_info *f, const struct pdu *p, enum event_verdict v, uint32_t frame)
{
	struct printer *out = ctx;

	json_line(out->cli->out, replay_pdu_json(out->ir, f, p, v, frame));
}

/* Prints the result for what could be read, then where reading ended. */
static int damaged(struct cli *c, const struct err *e, uint32_t frame)
{
	char text[512];

	if (frame > 0)
		message_text(text, sizeof(text), c->lang, M_REPLAY_DAMAGED, frame, e->text);
	else
		message_text(text, sizeof(text), c->lang, M_REPLAY_UNREADABLE, e->text);
	if (c->json) {
		json_line(c->out, replay_diagnostic_json("error", text, frame));
		return CLI_CANNOT;
	}
	fflush(c->out);
	return cli_fail_text(c, CLI_CANNOT, text);
}

/* Frames with an unsupported link layer: an error when there were no others. */
static void say_unread(struct cli *c, const char *text, bool all)
{
	if (c->json)
		json_line(c->out, replay_diagnostic_json(all ? "error" : "warning", text, 0));
	else
		cli_fail_text(c, CLI_CANNOT, text);
}

static int replay(struct cli *c, const struct source *s, struct capture *capture, bool as_captured, const char *policy,
		  const char *name)
{
	struct printer out = { .cli = c, .ir = s->c.ir };
	struct replay r = { .pdu = c->json ? print_pdu : NULL, .ctx = &out };
	struct capture_frame frame = { 0 };
	enum capture_step step = CAPTURE_END;
	struct err e = { 0 }, bad = { 0 };
	char text[256];
	uint32_t unread;
	int status;

	if (replay_open(&r, s->c.ir, as_captured, &e) != 0) {
		replay_close(&r);
		return cli_fail(c, CLI_CANNOT, M_CLI_NO_MEMORY);
	}
	while ((step = capture_next(capture, &frame, &bad)) == CAPTURE_FRAME)
		replay_frame(&r, &frame);
	replay_finish(&r);
	status = replay_denied(&r) ? CLI_NO : replay_unjudged(&r) ? CLI_CANNOT : CLI_YES;
	if (c->json)
		replay_print_json(c->out, &r);
	else if (!replay_print_text(c, &r, policy, name))
		r.book.failed = true;
	if (r.book.failed)
		status = cli_fail(c, CLI_CANNOT, M_CLI_NO_MEMORY);
	unread = capture_unread(capture, text, sizeof(text));
	if (unread > 0 && unread == r.frames)
		status = CLI_CANNOT;
	if (unread > 0)
		say_unread(c, text, status == CLI_CANNOT);
	if (step == CAPTURE_DAMAGED)
		status = damaged(c, &bad, frame.number);
	replay_close(&r);
	return status;
}

int verb_replay(struct cli *c, const struct cli_args *a)
{
	const char *policy = a->values[OPT_REPLAY_POLICY], *name = a->values[OPT_REPLAY_PCAP];
	struct capture *capture = NULL;
	struct source s;
	struct err e = { 0 };
	struct stat st;
	FILE *from;
	int status = CLI_YES;

	if (policy == NULL || name == NULL) {
		status = cli_fail(c, CLI_INVALID, M_CLI_MISSING_OPERAND, policy == NULL ? "--policy" : "--pcap");
		cli_see(c, a->verb);
		return status;
	}
	if (a->values[OPT_REPLAY_CAPTURED] != NULL && a->values[OPT_REPLAY_BOX] != NULL)
		return cli_fail(c, CLI_INVALID, M_REPLAY_BOTH);
	from = fopen(name, "rb");
	if (from == NULL)
		return cli_fail_file(c, CLI_CANNOT, name, errno);
	if (fstat(fileno(from), &st) == 0 && S_ISDIR(st.st_mode)) {
		fclose(from);
		return cli_fail_file(c, CLI_CANNOT, name, EISDIR);
	}
	if (!source_open(c, policy, SOURCE_LOWER, &s, &status)) {
		fclose(from);
	} else {
		capture = capture_open(from, name, c->lang, &e);
		if (capture == NULL)
			status = damaged(c, &e, 0);
		else
			status = replay(c, &s, capture, a->values[OPT_REPLAY_BOX] == NULL, policy, name);
	}
	capture_close(capture);
	source_close(&s);
	return status;
}
