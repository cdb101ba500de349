/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compile role: one bundle of policy texts in, one sealed generation or diagnostics out, exit.
 * It reads an operator's text, so it has no privilege, no files and no network, and ends after one
 * answer. It decides nothing about the box: its result is checked again when it is unsealed.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "appliance/base/bundle.h"
#include "appliance/base/bytes.h"
#include "appliance/base/clock.h"
#include "appliance/base/diag_json.h"
#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/base/json_each.h"
#include "appliance/base/messages.h"
#include "appliance/base/sentence.h"
#include "appliance/base/sha256.h"
#include "appliance/base/utf8.h"
#include "appliance/base/version.h"
#include "appliance/role/roles.h"
#include "appliance/role/sandbox.h"
#include "appliance/seal/cms.h"
#include "appliance/seal/file.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/role.h"
#include "appliance/wire/said.h"
#include "policy/compile/compile.h"
#include "policy/ir/seal.h"
#include "policy/render/render.h"
#include "policy/render/settings.h"
#include "policy/space/asked.h"

#define BUNDLE_MAX (32u << 20) /* bytes of all texts of one policy */
#define WHY_TEXT 800u	       /* bytes of the first error; a record takes as much of it as fits */
#define DOORS_MOST (4u << 20)  /* bytes of the JSON about doors */

/*
 * Makes the file of a backup. Input: the texts about the box from control, and the site's
 * certificate. Output: the encrypted file. docs/json.md, "backup", lists its contents. Pure, except
 * for the time of day.
 */

#define SEAL_MOST (96u << 20) /* bytes of a bundle */

/* The parts of the bundle; each is a reference of its own. */
struct words {
	json_t *host, *status, *devices, *generations;
};

static json_t *text_json(struct bytes text)
{
	return json_loadb((const char *)text.p, text.left, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
}

static bool is_named(struct bytes name, const char *word)
{
	return name.left == strlen(word) && memcmp(name.p, word, name.left) == 0;
}

static bool words_read(struct bytes b, struct words *w)
{
	struct bytes name, text;
	uint32_t n;

	w->generations = json_array();
	if (!bundle_head(&b, &n))
		return false;
	while (n-- > 0) {
		json_t *j;

		if (!bundle_next(&b, &name, &text) || (j = text_json(text)) == NULL)
			return false;
		if (is_named(name, "generation"))
			(void)json_array_append_new(w->generations, j);
		else if (is_named(name, "host") && w->host == NULL)
			w->host = j;
		else if (is_named(name, "status") && w->status == NULL)
			w->status = j;
		else if (is_named(name, "devices") && w->devices == NULL)
			w->devices = j;
		else {
			json_decref(j);
			return false;
		}
	}
	return json_is_string(w->host) && json_is_object(w->status) && w->devices != NULL &&
	       json_array_size(w->generations) > 0;
}

static void words_free(struct words *w)
{
	json_decref(w->host);
	json_decref(w->status);
	json_decref(w->devices);
	json_decref(w->generations);
}

static json_t *null_or(json_t *j)
{
	return j != NULL ? json_incref(j) : json_null();
}

/* The whole contents; *ret_line is the part that stands unencrypted before the file. */
static json_t *contents(const struct words *w, json_t **ret_line)
{
	json_t *made = json_time(clock_wall_ns()), *list = cards_of_box(w->status);
	const json_t *in_force = json_object_get(json_array_get(w->generations, 0), "generation");
	json_t *all = json_pack("{s:s,s:i,s:s,s:O,s:O,s:o,s:o,s:O,s:O,s:o,s:O}", "product", "sekisho", "form",
				BACKUP_FORM, "version", SEKISHO_VERSION, "made", made, "host", w->host, "site",
				null_or(json_object_get(w->status, "site")), "journal",
				null_or(json_object_get(w->status, "journal")), "cards", list, "devices", w->devices,
				"leaked", null_or(json_object_get(json_object_get(w->status, "accounts"), "leaked")),
				"generations", w->generations);

	if (all == NULL)
		return NULL;
	*ret_line =
		json_pack("{s:o,s:o,s:i,s:O,s:o}", "made", made, "cards", list, "generations",
			  (int)json_array_size(w->generations), "in_force",
			  null_or(json_object_get(in_force, "number")), "devices",
			  json_is_object(w->devices)
				  ? json_integer((json_int_t)json_array_size(json_object_get(w->devices, "devices")))
				  : json_null());
	return all;
}

/* Puts the line ("{...}\n") before the file. */
static bool put_together(json_t *line, struct bytes body, struct msg_sealed *m, uint8_t **ret, size_t *ret_n)
{
	char first[BACKUP_LINE + 1], digest[65], key[65], *said;
	size_t n_said, n;

	backup_line(BACKUP_FORM, body, first);
	m->bytes = BACKUP_LINE + body.left;
	sha256_pair(first, BACKUP_LINE, body.p, body.left, m->digest);
	hex_text(m->digest, sizeof(m->digest), digest);
	hex_text(m->key, sizeof(m->key), key);
	json_object_set_new(line, "sha256", json_string(digest));
	json_object_set_new(line, "key", json_string(key));
	json_object_set_new(line, "bytes", json_integer((json_int_t)m->bytes));
	said = json_dumps(line, JSON_COMPACT);
	n_said = said != NULL ? strlen(said) : 0;
	n = n_said + 1 + m->bytes;
	*ret = said != NULL ? malloc(n) : NULL;
	if (*ret != NULL) {
		memcpy(*ret, said, n_said);
		(*ret)[n_said] = '\n';
		memcpy(*ret + n_said + 1, first, BACKUP_LINE);
		memcpy(*ret + n_said + 1 + BACKUP_LINE, body.p, body.left);
		*ret_n = n;
	}
	free(said);
	return *ret != NULL;
}

static enum seal_trouble encrypt_backup(struct bytes certificate, const json_t *all, uint8_t **ret, size_t *ret_n)
{
	char *text = json_dumps(all, JSON_COMPACT);
	enum cms_trouble t = CMS_FAILED;

	if (text == NULL)
		return SEAL_NONSENSE;
	if (cms_ready())
		t = cms_encrypt(certificate, bytes_of(text, strlen(text)), ret, ret_n);
	free(text);
	return t == CMS_NONE		 ? SEAL_NO_TROUBLE
	       : t == CMS_PRIVATE_KEY	 ? SEAL_PRIVATE_KEY
	       : t == CMS_NO_CERTIFICATE ? SEAL_NO_CERTIFICATE
					 : SEAL_KEY;
}

/*
 * `bundle` holds texts by name (base/bundle.h): "host"; "status" and "devices" as the box answers
 * them, or "null"; then each "generation", the one in force first. *ret is malloc'd for the caller:
 * the line and the file behind it; NULL after a failure.
 */
static struct msg_sealed seal_bundle(struct bytes certificate, struct bytes bundle, uint8_t **ret, size_t *ret_n)
{
	struct msg_sealed m = { .trouble = SEAL_NONSENSE };
	json_t *all = NULL, *line = NULL;
	struct words w = { 0 };
	uint8_t *body = NULL;
	size_t n = 0;

	*ret = NULL;
	*ret_n = 0;
	if (words_read(bundle, &w))
		all = contents(&w, &line);
	words_free(&w);
	if (all != NULL && line != NULL)
		m.trouble = (uint8_t)encrypt_backup(certificate, all, &body, &n);
	if (m.trouble == SEAL_NO_TROUBLE && !cms_fingerprint(certificate, m.key))
		m.trouble = SEAL_NO_CERTIFICATE;
	if (m.trouble == SEAL_NO_TROUBLE && !put_together(line, bytes_of(body, n), &m, ret, ret_n))
		m.trouble = SEAL_NONSENSE;
	free(body);
	json_decref(line);
	json_decref(all);
	return m;
}

struct compiled {
	enum answer_status status; /* YES: compiled; INVALID: the policy is wrong */
	uint8_t *sealed;	   /* owned; NULL unless status is YES */
	size_t n_sealed;
	enum compile_trouble trouble;
	json_t *diagnostics; /* owned; an array as in docs/json.md, NULL = none */
	/* owned; sentences; NULL: nothing to compare with, or the comparison failed */
	json_t *meaning;
	size_t more; /* number of sentences that are left out */
};

/* Says which settings differ. The rules in force do not hold them all, but their texts do. */
static void compare_settings(const struct compilation *before, const struct compilation *after, json_t *sentences)
{
	size_t n = bundle_encode(before->sources, before->n_sources, NULL, 0);
	struct compilation old = { .arena = arena_new(COMPILE_BUDGET) };
	uint8_t *texts = malloc(n);
	struct policy_loader loader;
	const char *main_name;

	if (old.arena != NULL && texts != NULL && bundle_encode(before->sources, before->n_sources, texts, n) == n &&
	    loader_bundle(bytes_of(texts, n), old.arena, &loader, &main_name) && policy_check(&old, &loader, main_name))
		settings_tell(sentences, &old, after);
	arena_free(old.arena);
	free(texts);
}

/* Compares the policy with the one in force (`before`, sealed). A failed comparison does not fail
 * the compilation. */
static void compare_policies(struct bytes before, const struct compilation *c, struct compiled *ret)
{
	struct arena *a = before.left > 0 ? arena_new(COMPILE_BUDGET) : NULL;
	struct compilation old = { .arena = a };
	struct err e;

	if (a != NULL && policy_raise(&old, before, &e) == 0)
		ret->meaning = means_json(&old, c, clock_wall_s());
	if (ret->meaning != NULL) {
		compare_settings(&old, c, ret->meaning);
		ret->meaning = means_bounded(ret->meaning, &ret->more);
	}
	arena_free(a);
}

/* The whole work of the role, without side effects. */
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
	(void)policy_check(&c, &loader, main_name); /* what it finds, policy_lower refuses */
	if (!policy_lower(&c) || c.ir == NULL)
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
		compare_policies(before, &c, ret);
	json_decref(said);
	arena_free(a);
}

/* ---- the short form of what the policy means, for history and record ------------------------- */

struct brief {
	/* a sentence per line; the last line counts those that are left out */
	struct sentence text;
	unsigned said;
	size_t others;
};

static const char *line_of(const json_t *all, size_t i, enum lang l)
{
	const char *text =
		json_string_value(json_object_get(json_object_get(json_array_get(all, i), "text"), lang_name(l)));

	return text != NULL ? text : "";
}

/* The first line of a sentence, as it is stored; what follows in other lines is left out. */
static const char *first_line(const json_t *all, size_t i, enum lang l, char out[MEANT_BYTES])
{
	const char *line = line_of(all, i, l);

	snprintf(out, MEANT_BYTES, "%.*s", (int)strcspn(line, "\n"), line);
	return out;
}

/* Writes the first sentences. They quote the policy's text, so control characters are removed. A
 * sentence for which there is no room is only counted. */
static void say_brief(struct brief *b, const json_t *all, size_t more, enum lang l)
{
	char *out = b->text.text[l];
	/* room for the line that counts the others */
	const size_t size = sizeof(b->text.text[l]) - 40;
	size_t n = 0, said = 0, of = json_array_size(all);
	char line[MEANT_BYTES];

	for (; said < of && said < MEANT_LINES && n + strlen(first_line(all, said, l, line)) + 2 < size; said++) {
		if (n > 0)
			out[n++] = '\n';
		utf8_plain(line, out + n, size - n);
		n += strlen(out + n);
	}
	if (of == 0)
		(void)message_text(out, size, l, M_MEANS_SAME);
	else if (of - said + more > 0) {
		if (n > 0)
			out[n++] = '\n';
		(void)message_text(out + n, size + 40 - n, l, M_MEANS_OTHERS, (size_t)(of - said + more));
	}
	/* Records are in English (supervise/op.c). */
	if (l == LANG_EN) {
		b->said = (unsigned)said;
		b->others = of - said + more;
	}
}

/* The first error, in the box's language, because the language of the record's readers is not
 * known. */
static void first_error(const json_t *diagnostics, char *out, size_t size)
{
	json_each(d, diagnostics) {
		const char *severity = json_string_value(json_object_get(d, "severity")),
			   *file = json_string_value(json_object_get(d, "file")),
			   *text = json_string_value(json_object_get(d, "message"));

		if (severity == NULL || strcmp(severity, "error") != 0)
			continue;
		if (file != NULL && text != NULL)
			snprintf(out, size, "%s:%lld: %s", file,
				 (long long)json_integer_value(json_object_get(d, "line")), text);
		return;
	}
}

static bool answer_compiled(uint32_t id, const struct compiled *c)
{
	struct brief b = { .said = 0 };
	char why[WHY_TEXT] = "";
	struct msg_body m = { MSG_COMPILED, .compiled = { .status = (uint8_t)c->status,
							  .trouble = (uint8_t)c->trouble,
							  .more = (uint32_t)c->more,
							  .why = why } };
	int fds[4] = { memfd_sealed("sekisho-compiled", c->sealed, c->n_sealed),
		       json_memfd(c->diagnostics != NULL ? json_incref(c->diagnostics) : json_array()),
		       json_memfd(c->meaning != NULL ? json_incref(c->meaning) : json_object()), -1 };
	bool sent = true;

	for (int l = 0; c->meaning != NULL && l < LANGUAGES; l++)
		say_brief(&b, c->meaning, c->more, (enum lang)l);
	m.compiled.said = (uint8_t)b.said;
	m.compiled.others = (uint32_t)b.others;
	first_error(c->diagnostics, why, sizeof(why));
	fds[3] = memfd_sealed("sekisho-meant", &b.text, sizeof(b.text));
	for (size_t i = 0; i < 4; i++)
		sent &= fds[i] >= 0;
	sent = sent && msg_send(ROLE_FD_CONTROL, id, &m, fds, 4) == 0;
	for (size_t i = 0; i < 4; i++)
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

	if (m->n_fds > 1 && memfd_read(m->fds[1], IR_SEALED_MAX, &before, &n_before, &e) < 0)
		n_before = 0;
	if (r == 0)
		compile_bundle(bytes_of(bundle, n), bytes_of(before, n_before), (enum lang)m->body.compile.lang, &c);
	else if (r == -EFBIG)
		c.status = ANSWER_INVALID;
	sent = answer_compiled(m->id, &c);
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

static const char *typed_word(const uint8_t typed[ASK_WORD])
{
	return typed[0] != 0 ? (const char *)typed : NULL;
}

/* Answers a question about a policy; ANSWER_YES, or INVALID with what is wrong with the
 * question. */
static json_t *ask_policy(struct bytes sealed, const json_t *doors, const struct msg_ask *q,
			  enum answer_status *ret_status)
{
	const struct asking_words w = { typed_word(q->from),
					typed_word(q->whom),
					typed_word(q->service),
					typed_word(q->command),
					typed_word(q->address),
					typed_word(q->value),
					q->at };
	struct compilation c = { .arena = arena_new(COMPILE_BUDGET) };
	json_t *ret = NULL;
	struct err e = { 0 };
	bool meant;

	*ret_status = ANSWER_CANNOT;
	if (c.arena != NULL && policy_raise(&c, sealed, &e) == 0) {
		asking_doors(&c, doors, q->at);
		ret = c.n_sources > 0 ? asking_answer(&c, &w, &meant)
				      : json_pack("{s:o}", "error", json_sentence(M_ASK_NO_POLICY));
		if (c.n_sources > 0)
			*ret_status = meant ? ANSWER_YES : ANSWER_INVALID;
	}
	arena_free(c.arena);
	return ret != NULL ? ret : json_pack("{s:o}", "error", json_sentence(M_CLI_NO_MEMORY));
}

/* What the texts of a policy promise; NULL: they could not be read. */
static json_t *promises_of(struct bytes sealed)
{
	struct arena *a = arena_new(COMPILE_BUDGET);
	struct ir *ir = a != NULL ? arena_array(a, 1, sizeof(*ir)) : NULL;
	struct source_text *texts = NULL;
	json_t *ret = NULL;
	struct err e = { 0 };

	if (ir != NULL && ir_unseal(sealed, a, ir, &e) == 0)
		texts = arena_array(a, ir->n_sources, sizeof(*texts));
	for (uint32_t i = 0; texts != NULL && i < ir->n_sources; i++)
		texts[i] =
			(struct source_text){ ir->sources[i].name, ir->sources[i].text, strlen(ir->sources[i].text) };
	if (texts != NULL)
		ret = promises_json(texts, ir->n_sources);
	arena_free(a);
	return ret;
}

static json_t *answer_to(struct bytes sealed, const json_t *doors, const struct msg_ask *q,
			 enum answer_status *ret_status)
{
	json_t *promises;

	if (q->promises == 0)
		return ask_policy(sealed, doors, q, ret_status);
	promises = promises_of(sealed);
	*ret_status = promises != NULL ? ANSWER_YES : ANSWER_CANNOT;
	return promises != NULL ? promises : json_pack("{s:o}", "error", json_sentence(M_REPORT_NO_MODEL));
}

static bool on_ask(void *ctx, struct msg *m)
{
	struct msg_body said = { MSG_ANSWER, .answer = { .status = ANSWER_CANNOT } };
	enum answer_status status;
	struct err e = { 0 };
	uint8_t *sealed;
	json_t *doors;
	size_t n;
	bool sent;
	int fd;

	if (m->n_fds != 2 || (m->body.ask.promises == 0 && (m->body.ask.from[0] == 0 && m->body.ask.whom[0] == 0)) ||
	    memfd_read(m->fds[0], IR_SEALED_MAX, &sealed, &n, &e) < 0)
		return msg_send(ROLE_FD_CONTROL, m->id, &said, NULL, 0) == 0;
	doors = json_of_memfd(m->fds[1], DOORS_MOST);
	fd = json_memfd(answer_to(bytes_of(sealed, n), doors, &m->body.ask, &status));
	json_decref(doors);
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

	/* Times are told in UTC, because readers are in many time zones. Set before the sandbox,
	 * which forbids opening files. */
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
