/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sekisho backup FILE`: everything that makes up a box, encrypted to a certificate whose private
 * key is elsewhere. The box collects and encrypts it (appliance/control/backup.c) and sends only
 * the file. So a backup operator without root rights carries a file that he cannot read.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/sha256.h"
#include "appliance/seal/file.h"
#include "mgmt/cli/backup/backup.h"
#include "mgmt/cli/box/request.h"
#include "mgmt/cli/shut/shut.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/render.h"

#define SECONDS 120u
#define ANSWER_MOST (BACKUP_MOST + (1u << 20))

/* What a backup is made of besides the box's answer. */
struct making {
	const char *name;  /* name of the file */
	struct bytes pem;  /* root's own certificate; empty = the site's */
	const char *state; /* folder with accounts and keys; NULL = not a whole backup */
	/* for a whole backup: accounts and keys, the number of accounts, and the names of
	 * credentials that are left out because they are links; owned */
	struct whole whole;
	unsigned accounts;
	json_t *left_out;
	/* gets the finished backup instead of the file `name`; NULL = the backup goes into that
	 * file */
	backup_store *store;
	void *ctx;
};

/* Never overwrites an earlier backup. */
static int write_new(const char *name, const uint8_t *p, size_t n)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), code = 0;
	FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;

	if (f == NULL)
		return errno;
	if (fwrite(p, 1, n, f) != n || fflush(f) != 0 || fsync(fd) != 0)
		code = errno;
	if (fclose(f) != 0 && code == 0)
		code = errno;
	if (code != 0)
		unlink(name);
	return code;
}

static void tell_made(struct cli *c, json_t *said, const char *name)
{
	const json_t *devices = json_object_get(said, "devices"), *whole = json_object_get(said, "whole");

	if (c->json) {
		(void)json_object_set_new(said, "file", json_text(name));
		json_line(c->out, json_incref(said));
		return;
	}
	render_line(c, M_BACKUP_DONE, name, (size_t)ju(said, "generations"), ju(said, "in_force"), js(said, "sha256"));
	render_line(c, M_BACKUP_KEY, js(said, "key"));
	if (json_is_integer(devices))
		render_line(c, M_BACKUP_DEVICES, (size_t)ju(said, "devices"));
	else
		render_line(c, M_BACKUP_NO_DEVICES);
	if (whole == NULL)
		return;
	render_line(c, M_WHOLE_MADE, (unsigned)ju(whole, "accounts"));
	json_each(v, ja(whole, "left_out"))
		render_line(c, M_WHOLE_LEFT_OUT, json_string_value(v));
}

/* ---- accounts and keys ----------------------------------------------------------------------- */

/* Reads the certificate to which the box has encrypted its part; NULL after the reason was printed.
 * If it is the site's, its file must still be the one that the box has checked. */
static uint8_t *certificate_of(struct cli *c, const struct making *m, const json_t *said, size_t *ret_n)
{
	uint8_t *pem = NULL, digest[32];
	struct err e = { 0 };
	char hex[65] = "";

	if (m->pem.left > 0) {
		pem = malloc(m->pem.left);
		*ret_n = m->pem.left;
		if (pem != NULL)
			memcpy(pem, m->pem.p, m->pem.left);
	} else if (file_read(AT_FDCWD, BACKUP_CERTIFICATE, BACKUP_CERTIFICATE_MOST, &pem, ret_n, &e) < 0) {
		(void)cli_fail_file(c, CLI_CANNOT, BACKUP_CERTIFICATE, -e.code);
		return NULL;
	}
	if (pem != NULL && cms_ready() && cms_fingerprint(bytes_of(pem, *ret_n), digest))
		hex_text(digest, sizeof(digest), hex);
	if (strcmp(hex, js(said, "key")) == 0)
		return pem;
	free(pem);
	(void)cli_fail(c, CLI_CANNOT, M_BACKUP_BROKEN);
	return NULL;
}

/* Joins the parts of the file: the line "sekisho-backup 2 ...", the box's message, and the message
 * with accounts and keys. Malloc'd. */
static uint8_t *joined(struct bytes message, struct bytes keys, size_t *ret_n)
{
	size_t n = 4 + message.left + keys.left;
	uint8_t *p = malloc(BACKUP_LINE + n + 1);
	struct outbuf o = outbuf_of(p != NULL ? p + BACKUP_LINE : NULL, p != NULL ? n : 0);
	char line[BACKUP_LINE + 1];

	if (p == NULL)
		return NULL;
	out_be32(&o, (uint32_t)message.left);
	out_bytes(&o, message.p, message.left);
	out_bytes(&o, keys.p, keys.left);
	backup_line(BACKUP_FORM_WHOLE, bytes_of(p + BACKUP_LINE, n), line);
	memcpy(p, line, BACKUP_LINE);
	*ret_n = BACKUP_LINE + n;
	return p;
}

/* Reads accounts and keys. This comes before the question to the box, because the box records a
 * backup as soon as it is asked for one. False: the reason was printed. */
static bool collected(struct cli *c, struct making *m)
{
	const char *name = "";
	struct err e = { 0 };
	int r;

	m->left_out = json_array();
	r = place_collect(m->state, CLI_BOX_FOLDER, &m->whole, m->left_out, &name, &e);
	if (r == -ENODATA)
		(void)cli_fail(c, CLI_CANNOT, M_WHOLE_LACKS, name);
	else if (r < 0)
		(void)cli_fail_file(c, CLI_CANNOT, name, -r);
	else if (!whole_look(&m->whole, &m->accounts))
		(void)cli_fail(c, CLI_CANNOT, M_WHOLE_UNFIT);
	else
		return true;
	return false;
}

/* Makes the file with accounts and keys in it, malloc'd, and has it recorded. NULL: the reason was
 * printed. */
static uint8_t *completed(struct cli *c, const struct making *m, json_t *said, struct bytes message, size_t *ret_n)
{
	size_t n_pem = 0, n_sealed = 0;
	uint8_t *pem = certificate_of(c, m, said, &n_pem), *sealed = NULL, *file = NULL, digest[32];
	char hex[65], text[RECORD_MOST + 1];

	if (pem != NULL && whole_seal(&m->whole, bytes_of(pem, n_pem), &sealed, &n_sealed))
		file = joined(message, bytes_of(sealed, n_sealed), ret_n);
	if (file != NULL) {
		sha256(file, *ret_n, digest);
		hex_text(digest, sizeof(digest), hex);
		snprintf(text, sizeof(text), "SHA-256 %s, accounts %u", hex, m->accounts);
		(void)json_object_set_new(said, "sha256", json_string(hex));
		(void)json_object_set_new(said, "bytes", json_integer((json_int_t)*ret_n));
		(void)json_object_set_new(
			said, "whole",
			json_pack("{s:I, s:O}", "accounts", (json_int_t)m->accounts, "left_out", m->left_out));
		/* A file that could not be recorded is not given out. */
		if (!backup_recorded(c, MACHINE_BACKUP_WHOLE, text)) {
			free(file);
			file = NULL;
		}
	}
	if (pem != NULL && file == NULL)
		(void)cli_fail(c, CLI_CANNOT, M_BACKUP_BROKEN);
	free(pem);
	free(sealed);
	return file;
}

/* ---- the order ------------------------------------------------------------------------------- */

static int written(struct cli *c, json_t *said, const struct making *m, struct bytes file)
{
	int code = 0;

	if (m->store != NULL)
		return m->store(m->ctx, file, js(said, "sha256"));
	code = write_new(m->name, file.p, file.left);
	if (code != 0)
		return cli_fail_file(c, CLI_CANNOT, m->name, code);
	tell_made(c, said, m->name);
	return CLI_YES;
}

/* The answer is a line of JSON, then the file, whose contents the line describes. */
static int keep_answer(struct cli *c, const uint8_t *p, size_t n, const struct making *m)
{
	const uint8_t *end = memchr(p, '\n', n);
	size_t n_line = end != NULL ? (size_t)(end - p) : 0, n_whole = 0;
	json_t *said = json_loadb((const char *)p, n_line, JSON_REJECT_DUPLICATES, NULL);
	struct bytes file = bytes_of(p + n_line + 1, end != NULL ? n - n_line - 1 : 0), message, none;
	uint8_t digest[32], *whole = NULL;
	int status = CLI_CANNOT;
	char hex[65];

	sha256(file.p, file.left, digest);
	hex_text(digest, sizeof(digest), hex);
	if (!json_is_object(said) || !js_is(said, "sha256", hex) ||
	    backup_read(file, &message, &none) != BACKUP_WHOLE || none.left > 0) {
		json_decref(said);
		return cli_fail(c, CLI_CANNOT, M_BOX_NONSENSE);
	}
	if (m->state != NULL)
		whole = completed(c, m, said, message, &n_whole);
	if (m->state == NULL)
		status = written(c, said, m, file);
	else if (whole != NULL)
		status = written(c, said, m, bytes_of(whole, n_whole));
	free(whole);
	json_decref(said);
	return status;
}

/* `certificate`: root's own, -1 = the site's. */
static int order(struct cli *c, int certificate, const struct making *m)
{
	const struct msg_body question = { .type = MSG_BACKUP };
	struct box_answer answer;
	int status = CLI_CANNOT, fd;
	struct err e = { 0 };
	uint8_t *p = NULL;
	size_t n = 0;

	if (!box_request_file(c, &question, &certificate, 1, SECONDS, &answer, &fd, &status))
		return status;
	if (fd < 0) {
		(void)box_answer_done(c, &answer, &status);
		box_answer_free(&answer);
		return status;
	}
	if (memfd_read(fd, ANSWER_MOST, &p, &n, &e) < 0)
		status = cli_fail(c, CLI_CANNOT, M_BOX_LOST, e.text);
	else
		status = keep_answer(c, p, n, m);
	free(p);
	close(fd);
	return status;
}

static int make(struct cli *c, const char *state, backup_store *store, void *ctx)
{
	struct making m = { .name = "", .state = state, .store = store, .ctx = ctx };
	int status = state == NULL || collected(c, &m) ? order(c, -1, &m) : CLI_CANNOT;

	whole_free(&m.whole);
	json_decref(m.left_out);
	return status;
}

/* Whether the caller may make a whole backup. The permissions of the files keep everybody else out
 * anyway; this check gives the reason in words. */
static bool may_be_whole(void)
{
	return geteuid() == 0 && shut_memory();
}

int verb_backup(struct cli *c, const struct cli_args *a)
{
	const char *to = a->values[OPT_BACKUP_KEY], *state = a->values[OPT_BACKUP_STATE];
	struct making m = { .name = a->n_operands > 0 ? a->operands[0] : "" };
	int status = CLI_CANNOT, certificate = -1;
	uint8_t *pem = NULL;
	struct err e = { 0 };
	size_t n = 0;

	if ((a->values[OPT_BACKUP_SCHEDULED] != NULL) == (a->n_operands > 0) ||
	    (a->values[OPT_BACKUP_DUE] != NULL && a->values[OPT_BACKUP_SCHEDULED] == NULL))
		return cli_fail(c, CLI_INVALID, M_CARRY_FILE_OR);
	if (a->values[OPT_BACKUP_SCHEDULED] != NULL && !may_be_whole())
		return cli_fail(c, CLI_CANNOT, M_WHOLE_ROOT);
	if (a->values[OPT_BACKUP_SCHEDULED] != NULL)
		return backup_carry(c, a->values[OPT_BACKUP_DUE] != NULL, state != NULL ? state : WHOLE_STATE, make);
	if (a->values[OPT_BACKUP_VERIFY] != NULL)
		return backup_rehearse(c, m.name, a->values[OPT_BACKUP_PRIVATE]);
	if (a->values[OPT_BACKUP_WHOLE] != NULL) {
		if (!may_be_whole())
			return cli_fail(c, CLI_CANNOT, M_WHOLE_ROOT);
		m.state = state != NULL ? state : WHOLE_STATE;
	}
	/* Checked before the box is asked: otherwise a backup that nobody has would be recorded. */
	if (access(m.name, F_OK) == 0)
		return cli_fail_file(c, CLI_CANNOT, m.name, EEXIST);
	if (to != NULL && file_read(AT_FDCWD, to, BACKUP_CERTIFICATE_MOST, &pem, &n, &e) < 0)
		return cli_fail_file(c, CLI_INVALID, to, -e.code);
	if (to != NULL) {
		m.pem = bytes_of(pem, n);
		certificate = memfd_sealed("certificate", pem, n);
	}
	if (to != NULL && certificate < 0)
		status = cli_fail(c, CLI_CANNOT, M_CLI_NO_MEMORY);
	else if (m.state == NULL || collected(c, &m))
		status = order(c, certificate, &m);
	whole_free(&m.whole);
	json_decref(m.left_out);
	if (certificate >= 0)
		close(certificate);
	free(pem);
	return status;
}
