/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/sha256.h"
#include "appliance/seal/cms.h"
#include "appliance/seal/file.h"
#include "mgmt/cli/backup/backup.h"
#include "mgmt/cli/box/request.h"
#include "mgmt/cli/policy/source.h"
#include "mgmt/cli/shut/shut.h"
#include "mgmt/cli/words/render.h"
#include "policy/ir/seal.h"

#define KEY_MOST (64u << 10)

struct opening {
	struct cms_key *key;
	struct bytes message;
};

static bool open_message(void *ctx, uint8_t **ret, size_t *ret_n)
{
	const struct opening *o = ctx;

	return cms_decrypt(o->key, o->message, ret, ret_n);
}

/* Returns the contents if they are complete and a backup by this product in this form. Otherwise
 * reports what they are, and returns NULL. */
static json_t *opened(struct cli *c, const char *name, const char *key_name, struct bytes message, struct bytes more,
		      struct opened_keys *keys, int *ret_status)
{
	struct opening o = { .message = message };
	uint8_t *pem = NULL, *plain = NULL;
	struct err e = { 0 };
	size_t n_pem = 0, n = 0;
	json_t *j = NULL;

	if (!shut_memory()) {
		*ret_status = cli_fail_file(c, CLI_CANNOT, key_name, errno);
		return NULL;
	}
	if (file_read(AT_FDCWD, key_name, KEY_MOST, &pem, &n_pem, &e) < 0) {
		*ret_status = cli_fail_file(c, CLI_INVALID, key_name, -e.code);
		return NULL;
	}
	if (!cms_ready() || cms_key_read(bytes_of(pem, n_pem), &o.key) != CMS_NONE)
		*ret_status = cli_fail(c, CLI_INVALID, M_RESTORE_NO_KEY, key_name);
	else if (!apart(open_message, &o, BACKUP_MOST, &plain, &n))
		*ret_status = cli_fail(c, CLI_INVALID, M_RESTORE_WRONG_KEY, name, key_name);
	else {
		j = json_loadb((const char *)plain, n, JSON_REJECT_DUPLICATES, NULL);
		if (!js_is(j, "product", "sekisho") || ju(j, "form") != BACKUP_FORM ||
		    json_array_size(ja(j, "generations")) == 0) {
			*ret_status = cli_fail(c, CLI_INVALID, M_RESTORE_DAMAGED);
			json_decref(j);
			j = NULL;
		}
	}
	if (j != NULL && keys->there && keys->wanted && !whole_open(o.key, more, &keys->whole, &keys->accounts)) {
		*ret_status = cli_fail(c, CLI_INVALID, M_WHOLE_DAMAGED, name);
		json_decref(j);
		j = NULL;
	}
	explicit_bzero(pem, n_pem);
	free(pem);
	free(plain);
	cms_key_free(o.key);
	return j;
}

json_t *backup_open(struct cli *c, const char *name, const char *key_name, struct opened_keys *keys, int *ret_status)
{
	static const enum message words[] = { [BACKUP_FOREIGN] = M_RESTORE_FOREIGN,
					      [BACKUP_NEWER] = M_RESTORE_NEWER,
					      [BACKUP_DAMAGED] = M_RESTORE_BROKEN };
	struct err e = { 0 };
	uint8_t *file = NULL;
	struct bytes message, more;
	uint8_t digest[32];
	enum backup_kind kind;
	json_t *j = NULL;
	size_t n = 0;

	if (file_read(AT_FDCWD, name, BACKUP_MOST, &file, &n, &e) < 0) {
		*ret_status = cli_fail_file(c, CLI_INVALID, name, -e.code);
		return NULL;
	}
	sha256(file, n, digest);
	hex_text(digest, sizeof(digest), keys->sha256);
	/* Compared before anything in the file is interpreted, and before the key is read. */
	if (keys->noted != NULL &&
	    (strlen(keys->noted) < DIGITS_LEAST || strncmp(keys->noted, keys->sha256, strlen(keys->noted)) != 0)) {
		*ret_status = cli_fail(c, CLI_INVALID, M_WHOLE_OTHER_FILE, DIGITS_LEAST);
		free(file);
		return NULL;
	}
	kind = backup_read(bytes_of(file, n), &message, &more);
	keys->there = kind == BACKUP_WHOLE && more.left > 0;
	if (kind != BACKUP_WHOLE)
		*ret_status = cli_fail(c, CLI_INVALID, words[kind], name);
	else
		j = opened(c, name, key_name, message, more, keys, ret_status);
	free(file);
	return j;
}

/* ---- the rehearsal --------------------------------------------------------------------------- */

#define WAIT_S 5
#define DIGEST 32u /* bytes of a SHA-256 */

/* The digest of the rules that the texts make. Runs in a process of its own, because the file's
 * maker chose the texts. */
static bool compiled(void *ctx, uint8_t **ret, size_t *ret_n)
{
	const json_t *sources = ctx;
	struct policy_loader loader = { .load = source_of_list, .ctx = ctx };
	struct compilation c = { .arena = arena_new(COMPILE_BUDGET) };
	struct err e = { 0 };
	size_t n = 0;

	if (c.arena == NULL || !policy_check(&c, &loader, js(json_array_get(sources, 0), "name")) ||
	    !policy_lower(&c) || ir_seal(c.ir, ret, &n, &e) < 0)
		return false;
	memcpy(*ret, c.ir->digest, sizeof(c.ir->digest));
	*ret_n = sizeof(c.ir->digest);
	return true;
}

/* "same", "other" (another release compiled it, or the file lies) or "refused". */
static const char *rehearsed(const json_t *g)
{
	json_t *sources = json_object_get(g, "sources");
	uint8_t *p = NULL;
	size_t n = 0;
	char hex[65] = "";

	if (json_array_size(sources) == 0 || !apart(compiled, sources, DIGEST, &p, &n))
		return "refused";
	if (n == DIGEST)
		hex_text(p, n, hex);
	free(p);
	return strcmp(hex, js(json_object_get(g, "generation"), "digest")) == 0 ? "same" : "other";
}

bool backup_recorded(struct cli *c, enum machine_event what, char *text)
{
	struct msg_body m = { MSG_CTL_RECORD, .ctl_record = { .what = (uint8_t)what, .text = text } };
	struct box_answer answer;
	bool done = false;

	if (box_absent(c))
		return false;
	for (char *s = text; *s != '\0'; s++)
		if (*s < ' ' || *s > '~')
			*s = '?';
	if (box_ask_silently(c, &m, WAIT_S, &answer)) {
		done = answer.status == CLI_YES;
		box_answer_free(&answer);
	}
	return done;
}

static bool recorded(struct cli *c, const char *name, bool same)
{
	const char *last = strrchr(name, '/');
	char text[RECORD_MOST + 1];

	snprintf(text, sizeof(text), "%.100s: %s", last != NULL ? last + 1 : name, same ? "same" : "NOT the same");
	return backup_recorded(c, MACHINE_BACKUP_TRIED, text);
}

static void tell_opened(struct cli *c, const json_t *backup, const json_t *list, const struct opened_keys *keys,
			bool on_record)
{
	char made[RENDER_TEXT];

	render_time(js(backup, "made"), made);
	render_line(c, M_REHEARSE_HEAD, js(json_object_get(backup, "site"), "name"), js(backup, "host"), made);
	json_each(g, list) {
		const char *result = js(g, "result");

		render_line(c,
			    strcmp(result, "same") == 0	   ? M_REHEARSE_SAME
			    : strcmp(result, "other") == 0 ? M_REHEARSE_OTHER
							   : M_REHEARSE_REFUSED,
			    ju(g, "number"));
	}
	if (json_is_object(json_object_get(backup, "devices")))
		render_line(c, M_REHEARSE_DEVICES);
	else
		render_line(c, M_REHEARSE_NO_DEVICES);
	if (keys->there)
		render_line(c, M_REHEARSE_WHOLE, keys->accounts);
	else
		render_line(c, M_REHEARSE_LACKS);
	render_line(c, on_record ? M_REHEARSE_RECORDED : M_REHEARSE_UNRECORDED);
}

int backup_rehearse(struct cli *c, const char *name, const char *key_name)
{
	struct opened_keys keys = { .wanted = true };
	json_t *list, *backup;
	bool same = true, on_record;
	int status = CLI_INVALID;

	if (key_name == NULL)
		return cli_fail(c, CLI_INVALID, M_RESTORE_WANTS_KEY);
	backup = backup_open(c, name, key_name, &keys, &status);
	whole_free(&keys.whole);
	if (backup == NULL)
		return status;
	list = json_array();
	json_each(g, json_object_get(backup, "generations")) {
		const char *result = rehearsed(g);

		same = same && strcmp(result, "same") == 0;
		json_array_append_new(list, json_pack("{s:I,s:s}", "number",
						      (json_int_t)ju(json_object_get(g, "generation"), "number"),
						      "result", result));
	}
	on_record = recorded(c, name, same);
	if (c->json)
		json_line(c->out, json_pack("{s:b,s:O,s:b,s:o,s:b}", "same", (int)same, "generations", list, "devices",
					    (int)json_is_object(json_object_get(backup, "devices")), "accounts",
					    keys.there ? json_integer((json_int_t)keys.accounts) : json_null(),
					    "recorded", (int)on_record));
	else
		tell_opened(c, backup, list, &keys, on_record);
	json_decref(list);
	json_decref(backup);
	return same ? CLI_YES : CLI_NO;
}
