/* SPDX-License-Identifier: Apache-2.0 */
/* `sekisho compile POLICY --to nft|json|text|sealed`: the rules of a policy. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "appliance/base/sha256.h"
#include "mgmt/cli/policy/source.h"
#include "mgmt/cli/screen/wrap.h"
#include "mgmt/cli/verbs.h"
#include "policy/ir/seal.h"

static int write_sealed(struct cli *c, FILE *to, struct ir *ir)
{
	struct err e = { 0 };
	uint8_t *bytes = NULL;
	size_t n = 0;

	if (ir_seal(ir, &bytes, &n, &e) < 0)
		return cli_fail_text(c, CLI_CANNOT, e.text);
	fwrite(bytes, 1, n, to);
	free(bytes);
	return CLI_YES;
}

static int write_form(struct cli *c, FILE *to, struct source *s, const char *form)
{
	struct err e = { 0 };
	uint8_t *bytes = NULL;
	size_t n = 0;

	if (strcmp(form, "sealed") == 0)
		return write_sealed(c, to, s->c.ir);
	/* The output contains the digest, which sealing computes. */
	if (ir_seal(s->c.ir, &bytes, &n, &e) < 0)
		return cli_fail_text(c, CLI_CANNOT, e.text);
	free(bytes);
	if (strcmp(form, "text") == 0)
		render_text(to, s->c.written);
	else if (strcmp(form, "nft") == 0)
		render_nft(to, s->c.ir);
	else
		json_line(to, render_json(s->c.ir));
	return CLI_YES;
}

/* Whether the path is one of the policy's own texts: writing there would destroy the source. */
static bool is_text_of(const struct source *s, const char *path)
{
	struct stat out, st;

	if (stat(path, &out) < 0)
		return false;
	for (size_t i = 0; i < s->c.n_sources; i++) {
		const char *name = arena_printf(s->arena, "%s%s", s->c.diags.folder, s->c.sources[i].name);

		if (name != NULL && stat(name, &st) == 0 && st.st_dev == out.st_dev && st.st_ino == out.st_ino)
			return true;
	}
	return false;
}

static int write_file(struct cli *c, struct source *s, const char *form, const char *path)
{
	FILE *to;
	int status;
	bool bad;

	if (is_text_of(s, path))
		return cli_fail(c, CLI_INVALID, M_COMPILE_OVER, path);
	to = fopen(path, "we");
	if (to == NULL)
		return cli_fail_file(c, CLI_CANNOT, path, errno);
	status = write_form(c, to, s, form);
	bad = ferror(to) != 0;
	if (fclose(to) != 0 || bad)
		return cli_fail_file(c, CLI_CANNOT, path, errno);
	if (status != CLI_YES)
		return status;
	if (c->json) {
		json_t *done = source_diagnostics(s, c->lang);

		json_object_set_new(done, "output", json_text(path));
		json_object_set_new(done, "digest", json_hex(s->c.ir->digest, sizeof(s->c.ir->digest)));
		json_line(c->out, done);
	} else {
		char hex[65], *safe = text_safe(path);

		hex_text(s->c.ir->digest, sizeof(s->c.ir->digest), hex);
		message_print(c->out, c->lang, M_COMPILE_WROTE, safe != NULL ? safe : "", hex);
		free(safe);
	}
	return CLI_YES;
}

int verb_compile(struct cli *c, const struct cli_args *a)
{
	const char *form = a->values[OPT_COMPILE_TO] != NULL ? a->values[OPT_COMPILE_TO] : c->json ? "json" : "nft";
	const char *path = a->values[OPT_COMPILE_OUTPUT];
	struct source s;
	int status = CLI_YES;

	if (strcmp(form, "nft") != 0 && strcmp(form, "json") != 0 && strcmp(form, "text") != 0 &&
	    strcmp(form, "sealed") != 0)
		return cli_fail(c, CLI_INVALID, M_COMPILE_FORM, form);
	if (strcmp(form, "sealed") == 0 && path == NULL)
		return cli_fail(c, CLI_INVALID, M_COMPILE_SEALED_FILE);
	if (source_open(c, a->operands[0], SOURCE_LOWER, &s, &status))
		status = path != NULL ? write_file(c, &s, form, path) : write_form(c, c->out, &s, form);
	source_close(&s);
	return status;
}
