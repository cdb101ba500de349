/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/compile/bundle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/bytes.h"
#include "appliance/base/diag_json.h"
#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/base/messages.h"
#include "appliance/role/roles.h"
#include "appliance/role/sandbox.h"
#include "appliance/wire/msg.h"
#include "policy/compile/compile.h"

struct compiled {
	enum answer_status status; /* YES: compiled; INVALID: the policy is */
	uint8_t *sealed;	   /* owned; NULL unless status is YES */
	size_t n_sealed;
	json_t *json; /* owned reference: diagnostics, as docs/json.md has them */
};

static json_t *plain_error(enum lang lang, enum message m)
{
	char text[200];

	message_text(text, sizeof(text), lang, m);
	return json_pack("{s:[], s:i, s:i, s:o}", "diagnostics", "errors", 1, "warnings", 0, "error", json_text(text));
}

/* Pure: the whole work of the role. */
static void compile_bundle(struct bytes bundle, enum lang lang, struct compiled *ret)
{
	struct arena *a = arena_new(COMPILE_BUDGET);
	struct compilation c = { .arena = a };
	struct policy_loader loader;
	const char *main_name;
	struct err e;

	*ret = (struct compiled){ .status = ANSWER_CANNOT };
	if (a == NULL) {
		ret->json = plain_error(lang, M_COMPILE_NO_MEMORY);
		return;
	}
	if (!loader_bundle(bundle, a, &loader, &main_name)) {
		ret->json = plain_error(lang, M_COMPILE_BUNDLE);
		arena_free(a);
		return;
	}
	if (policy_check(&c, &loader, main_name) && policy_lower(&c) && c.ir != NULL) {
		if (ir_seal(c.ir, &ret->sealed, &ret->n_sealed, &e) == 0)
			ret->status = ANSWER_YES;
	} else {
		ret->status = ANSWER_INVALID;
	}
	ret->json = ret->status == ANSWER_CANNOT ? plain_error(lang, M_COMPILE_NO_MEMORY)
						 : diags_json(&c.diags, c.sources, c.n_sources, lang);
	arena_free(a);
}

static void compiled_free(struct compiled *c)
{
	free(c->sealed);
	json_decref(c->json);
	*c = (struct compiled){ 0 };
}

static int answer(uint32_t id, const struct compiled *c)
{
	char *text = c->json != NULL ? json_dumps(c->json, JSON_COMPACT) : NULL;
	size_t n_text = text != NULL ? strlen(text) : 0;
	uint8_t *all = malloc(c->n_sealed + n_text + 1);
	struct msg_body m = { MSG_COMPILED, .compiled = { .status = (uint8_t)c->status,
							  .n_sealed = (uint32_t)c->n_sealed,
							  .n_json = (uint32_t)n_text } };
	int fd = -1, r = -ENOMEM;

	if (all != NULL) {
		if (c->n_sealed > 0)
			memcpy(all, c->sealed, c->n_sealed);
		if (n_text > 0)
			/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): bytes, their length goes beside them */
			memcpy(all + c->n_sealed, text, n_text);
		fd = memfd_sealed("sekisho-compiled", all, c->n_sealed + n_text);
		r = fd;
	}
	if (fd >= 0) {
		r = msg_send(ROLE_FD_CONTROL, id, &m, &fd, 1);
		close(fd);
	}
	free(all);
	free(text);
	return r;
}

static bool on_compile(void *ctx, struct msg *m)
{
	enum lang lang = (enum lang)m->body.compile.lang;
	struct compiled c = { 0 };
	struct err e = { 0 };
	uint8_t *bundle;
	size_t n;
	int r = memfd_read(m->fds[0], BUNDLE_MAX, &bundle, &n, &e);

	(void)ctx;
	if (r == 0)
		compile_bundle(bytes_of(bundle, n), lang, &c);
	else
		c = (struct compiled){ .status = r == -EFBIG ? ANSWER_INVALID : ANSWER_CANNOT,
				       .json = plain_error(lang, M_COMPILE_BUNDLE) };
	r = answer(m->id, &c);
	compiled_free(&c);
	free(bundle);
	return r == 0;
}

static msg_handler *const handlers[MSG_TYPE_COUNT] = { [MSG_COMPILE] = on_compile };

int role_compile(void)
{
	struct err e = { 0 };

	if (sandbox_enter(ROLE_COMPILE, &e) < 0) {
		fprintf(stderr, "sekishod compile: %s\n", e.text);
		return 1;
	}
	if (msg_send(ROLE_FD_CONTROL, 0, &(struct msg_body){ .type = MSG_READY }, NULL, 0) < 0)
		return 0;
	return msg_serve(ROLE_FD_CONTROL, ROLE_COMPILE, handlers, NULL) < 0;
}
