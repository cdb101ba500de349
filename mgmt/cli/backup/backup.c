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
#include "mgmt/cli/backup/rehearse.h"
#include "mgmt/cli/box/request.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/render.h"

#define SECONDS 120u
#define ANSWER_MOST (BACKUP_MOST + (1u << 20))

enum { OPT_KEY, OPT_VERIFY, OPT_PRIVATE, OPT_N };

static const struct cli_option options[OPT_N] = {
	[OPT_KEY] = { "--to", 0, "CERTIFICATE", M_BACKUP_OPT_TO },
	[OPT_VERIFY] = { "--verify", 0, NULL, M_BACKUP_OPT_VERIFY },
	[OPT_PRIVATE] = { "--key", 0, "PRIVATE-KEY", M_RESTORE_OPT_KEY },
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

static void tell(struct cli *c, json_t *said, const char *name)
{
	const json_t *devices = json_object_get(said, "devices");

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
}

/* The answer is a line of JSON, then the file, whose contents the line describes. */
static int keep(struct cli *c, const uint8_t *p, size_t n, const char *name)
{
	const uint8_t *end = memchr(p, '\n', n);
	size_t n_line = end != NULL ? (size_t)(end - p) : 0;
	json_t *said = json_loadb((const char *)p, n_line, JSON_REJECT_DUPLICATES, NULL);
	struct bytes file = bytes_of(p + n_line + 1, end != NULL ? n - n_line - 1 : 0), body;
	uint8_t digest[32];
	char hex[65];
	int code;

	sha256(file.p, file.left, digest);
	hex_text(digest, sizeof(digest), hex);
	if (!json_is_object(said) || strcmp(js(said, "sha256"), hex) != 0 || backup_read(file, &body) != BACKUP_WHOLE) {
		json_decref(said);
		return cli_fail(c, CLI_CANNOT, M_BOX_NONSENSE);
	}
	code = write_new(name, file.p, file.left);
	if (code == 0)
		tell(c, said, name);
	json_decref(said);
	return code != 0 ? cli_fail_file(c, CLI_CANNOT, name, code) : CLI_YES;
}

/* `certificate`: root's own, -1 = the site's. */
static int order(struct cli *c, int certificate, const char *name)
{
	const struct msg_body question = { .type = MSG_BACKUP };
	struct box_answer answer;
	int status = CLI_CANNOT, fd;
	struct err e = { 0 };
	uint8_t *p = NULL;
	size_t n = 0;

	if (!box_request_file(c, &question, &certificate, certificate >= 0 ? 1 : 0, SECONDS, &answer, &fd, &status))
		return status;
	if (fd < 0) {
		(void)box_answer_done(c, &answer, &status);
		box_answer_free(&answer);
		return status;
	}
	if (memfd_read(fd, ANSWER_MOST, &p, &n, &e) < 0)
		status = cli_fail(c, CLI_CANNOT, M_BOX_LOST, e.text);
	else
		status = keep(c, p, n, name);
	free(p);
	close(fd);
	return status;
}

static int run(struct cli *c, const struct cli_args *a)
{
	const char *to = a->values[OPT_KEY], *name = a->operands[0];
	int status = CLI_CANNOT, certificate = -1;
	uint8_t *pem = NULL;
	struct err e = { 0 };
	size_t n = 0;

	if (a->values[OPT_VERIFY] != NULL)
		return backup_rehearse(c, name, a->values[OPT_PRIVATE]);
	/* Checked before the box is asked: otherwise a backup that nobody has would be recorded. */
	if (access(name, F_OK) == 0)
		return cli_fail_file(c, CLI_CANNOT, name, EEXIST);
	if (to != NULL && file_read(AT_FDCWD, to, BACKUP_CERTIFICATE_MOST, &pem, &n, &e) < 0)
		return cli_fail_file(c, CLI_INVALID, to, -e.code);
	if (to != NULL)
		certificate = memfd_sealed("certificate", pem, n);
	free(pem);
	if (to != NULL && certificate < 0)
		return cli_fail(c, CLI_CANNOT, M_CLI_NO_MEMORY);
	status = order(c, certificate, name);
	if (certificate >= 0)
		close(certificate);
	return status;
}

const struct cli_verb verb_backup = {
	.name = "backup",
	.group = CLI_ON_BOX,
	.operands = "FILE",
	.min_operands = 1,
	.max_operands = 1,
	.options = options,
	.n_options = OPT_N,
	.summary = M_BACKUP_SUMMARY,
	.text = M_BACKUP_TEXT,
	.run = run,
};
