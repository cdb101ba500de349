/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/compile/bundle.h"
#include "appliance/compile/seal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "appliance/base/bytes.h"
#include "appliance/base/clock.h"
#include "appliance/base/diag_json.h"
#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/base/messages.h"
#include "appliance/base/sentence.h"
#include "appliance/role/roles.h"
#include "appliance/role/sandbox.h"
#include "appliance/wire/msg.h"
#include "policy/compile/compile.h"
#include "policy/render/means.h"
#include "policy/space/asking.h"

struct compiled {
	enum answer_status status; /* YES: compiled; INVALID: the policy is */
	uint8_t *sealed;	   /* owned; NULL unless status is YES */
	size_t n_sealed;
	enum compile_trouble trouble;
	json_t *diagnostics; /* owned reference: an array as docs/json.md has it, NULL = none */
	json_t *meaning; /* owned reference: sentences; NULL: there is nothing to tell them of, or they cannot be told */
	size_t more;	 /* sentences that are left out */
};

/* In what it differs from what is in force: `before`, a bundle. That it cannot be told is no reason to compile nothing. */
static void compare(struct bytes before, const struct compilation *c, struct compiled *ret)
{
	struct arena *a = before.left > 0 ? arena_new(COMPILE_BUDGET) : NULL;
	struct compilation old = { .arena = a };
	struct policy_loader loader;
	const char *main_name;

	if (a != NULL && loader_bundle(before, a, &loader, &main_name) && policy_check(&old, &loader, main_name))
		ret->meaning = means_bounded(means_json(&old, c, clock_wall_ns() / 1000000000ull), &ret->more);
	arena_free(a);
}

/* Pure: the whole work of the role. */
static void compile_bundle(struct bytes bundle, struct bytes before, enum lang lang, struct compiled *ret)
{
	struct arena *a = arena_new(COMPILE_BUDGET);
	struct compilation c = { .arena = a };
	struct policy_loader loader;
	const char *main_name;
	json_t *said = NULL;
	struct err e;

	*ret = (struct compiled){ .status = ANSWER_CANNOT, .trouble = COMPILE_NO_MEMORY };
	if (a == NULL)
		return;
	if (!loader_bundle(bundle, a, &loader, &main_name)) {
		ret->trouble = COMPILE_BAD_BUNDLE;
		arena_free(a);
		return;
	}
	if (!policy_check(&c, &loader, main_name) || !policy_lower(&c) || c.ir == NULL)
		ret->status = ANSWER_INVALID;
	else if (ir_seal(c.ir, &ret->sealed, &ret->n_sealed, &e) == 0)
		ret->status = ANSWER_YES;
	if (ret->status != ANSWER_CANNOT) {
		ret->trouble = COMPILE_NO_TROUBLE;
		said = diags_json(&c.diags, c.sources, c.n_sources, lang);
		ret->diagnostics = json_incref(json_object_get(said, "diagnostics"));
		diags_words(ret->diagnostics, &c.diags);
	}
	if (ret->status == ANSWER_YES)
		compare(before, &c, ret);
	json_decref(said);
	arena_free(a);
}

static bool answer(uint32_t id, const struct compiled *c)
{
	const struct msg_body m = { MSG_COMPILED, .compiled = { .status = (uint8_t)c->status,
								.trouble = (uint8_t)c->trouble,
								.more = (uint32_t)c->more } };
	int fds[3] = { memfd_sealed("sekisho-compiled", c->sealed, c->n_sealed),
		       json_memfd(c->diagnostics != NULL ? json_incref(c->diagnostics) : json_array()),
		       json_memfd(c->meaning != NULL ? json_incref(c->meaning) : json_object()) };
	bool sent = fds[0] >= 0 && fds[1] >= 0 && fds[2] >= 0 && msg_send(ROLE_FD_CONTROL, id, &m, fds, 3) == 0;

	for (size_t i = 0; i < 3; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	return sent;
}

static bool on_compile(void *ctx, struct msg *m)
{
	struct compiled c = { .status = ANSWER_CANNOT, .trouble = COMPILE_BAD_BUNDLE };
	struct err e = { 0 };
	uint8_t *bundle, *before = NULL;
	size_t n, n_before = 0;
	int r = memfd_read(m->fds[0], BUNDLE_MAX, &bundle, &n, &e);
	bool sent;

	(void)ctx;
	if (m->n_fds > 1 && memfd_read(m->fds[1], BUNDLE_MAX, &before, &n_before, &e) < 0)
		n_before = 0;
	if (r == 0)
		compile_bundle(bytes_of(bundle, n), bytes_of(before, n_before), (enum lang)m->body.compile.lang, &c);
	else if (r == -EFBIG)
		c.status = ANSWER_INVALID;
	sent = answer(m->id, &c);
	free(c.sealed);
	json_decref(c.diagnostics);
	json_decref(c.meaning);
	free(before);
	free(bundle);
	return sent;
}

static bool on_seal(void *ctx, struct msg *m)
{
	struct msg_body said = { MSG_SEALED, .sealed = { .trouble = SEAL_NONSENSE } };
	uint8_t *certificate = NULL, *bundle = NULL, *file = NULL;
	size_t n_certificate, n_bundle, n = 0;
	struct err e = { 0 };
	int fd = -1;
	bool sent;

	(void)ctx;
	if (memfd_read(m->fds[0], BACKUP_CERTIFICATE_MOST, &certificate, &n_certificate, &e) == 0 &&
	    memfd_read(m->fds[1], SEAL_MOST, &bundle, &n_bundle, &e) == 0)
		said.sealed = seal_bundle(bytes_of(certificate, n_certificate), bytes_of(bundle, n_bundle), &file, &n);
	if (file != NULL && (fd = memfd_sealed("sekisho-backup", file, n)) < 0)
		said.sealed = (struct msg_sealed){ .trouble = SEAL_NONSENSE };
	sent = msg_send(ROLE_FD_CONTROL, m->id, &said, &fd, fd >= 0 ? 1 : 0) == 0;
	if (fd >= 0)
		close(fd);
	free(file);
	free(bundle);
	free(certificate);
	return sent;
}

static const char *word(const uint8_t typed[ASK_WORD])
{
	return typed[0] != 0 ? (const char *)typed : NULL;
}

/* What was asked of it; ANSWER_YES, or INVALID with what is wrong with the question. */
static json_t *ask_policy(struct bytes sealed, const struct msg_ask *q, enum answer_status *ret_status)
{
	const struct asking_words w = {
		word(q->from),	word(q->whom), word(q->service), word(q->command), word(q->address),
		word(q->value), q->at
	};
	struct compilation c = { .arena = arena_new(COMPILE_BUDGET) };
	json_t *ret = NULL;
	struct err e = { 0 };
	bool meant;

	*ret_status = ANSWER_CANNOT;
	if (c.arena != NULL && policy_raise(&c, sealed, &e) == 0) {
		ret = c.n_sources > 0 ? asking_answer(&c, &w, &meant)
				      : json_pack("{s:o}", "error", json_sentence(M_ASK_NO_POLICY));
		if (c.n_sources > 0)
			*ret_status = meant ? ANSWER_YES : ANSWER_INVALID;
	}
	arena_free(c.arena);
	return ret != NULL ? ret : json_pack("{s:o}", "error", json_sentence(M_CLI_NO_MEMORY));
}

static bool on_ask(void *ctx, struct msg *m)
{
	struct msg_body said = { MSG_ANSWER, .answer = { .status = ANSWER_CANNOT } };
	enum answer_status status;
	struct err e = { 0 };
	uint8_t *sealed;
	size_t n;
	bool sent;
	int fd;

	(void)ctx;
	if (m->n_fds != 1 || m->body.ask.from[0] == 0 || m->body.ask.whom[0] == 0 ||
	    memfd_read(m->fds[0], IR_SEALED_MAX, &sealed, &n, &e) < 0)
		return msg_send(ROLE_FD_CONTROL, m->id, &said, NULL, 0) == 0;
	fd = json_memfd(ask_policy(bytes_of(sealed, n), &m->body.ask, &status));
	said.answer.status = (uint8_t)status;
	sent = msg_send(ROLE_FD_CONTROL, m->id, &said, &fd, fd >= 0 ? 1 : 0) == 0;
	if (fd >= 0)
		close(fd);
	free(sealed);
	return sent;
}

static msg_handler *const handlers[MSG_TYPE_COUNT] = {
	[MSG_COMPILE] = on_compile, [MSG_SEAL] = on_seal, [MSG_ASK] = on_ask
};

int role_compile(void)
{
	struct err e = { 0 };

	/* Moments are told in UTC: who reads them has a zone of his own. Before the sandbox, in which no file is opened. */
	setenv("TZ", "UTC", 1);
	tzset();
	if (sandbox_enter(ROLE_COMPILE, &e) < 0) {
		fprintf(stderr, "sekishod compile: %s\n", e.text);
		return 1;
	}
	if (msg_send(ROLE_FD_CONTROL, 0, &(struct msg_body){ .type = MSG_READY }, NULL, 0) < 0)
		return 0;
	return msg_serve(ROLE_FD_CONTROL, ROLE_COMPILE, handlers, NULL) < 0;
}
