/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/backup/opening.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/sha256.h"
#include "appliance/seal/cms.h"
#include "appliance/seal/file.h"
#include "mgmt/cli/shut/apart.h"
#include "mgmt/cli/shut/shut.h"
#include "mgmt/cli/words/render.h"

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
		if (strcmp(js(j, "product"), "sekisho") != 0 || ju(j, "form") != BACKUP_FORM ||
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
