/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sekisho backup FILE`: what a box needs to be what it is, encrypted to a certificate whose private key is elsewhere. All of it is
 * answers that the daemon gives anyway (docs/json.md, "backup"): so nothing privileged was added for it, and whoever may ask the
 * daemon for a policy may back it up. The daemon hears of it for the record.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/sha256.h"
#include "appliance/base/version.h"
#include "mgmt/cli/backup/cards.h"
#include "mgmt/cli/backup/cms.h"
#include "mgmt/cli/backup/file.h"
#include "mgmt/cli/box/request.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/verbs/show.h"
#include "mgmt/cli/words/render.h"

#define CERTIFICATE "/etc/sekisho/backup.pem"
#define CERTIFICATE_MOST (64u << 10)
#define TEXTS_ENOUGH (32u << 20) /* bytes: older generations are left out from here on */

enum { OPT_KEY, OPT_N };

static const struct cli_option options[OPT_N] = {
	[OPT_KEY] = { "--to", 0, "CERTIFICATE", M_BACKUP_OPT_TO },
};

static size_t texts_size(const json_t *sources)
{
	size_t n = 0, i;
	const json_t *s;

	json_array_foreach(sources, i, s) n += json_string_length(json_object_get(s, "text"));
	return n;
}

/* One generation with its texts; NULL after saying why there is none. */
static json_t *generation(struct cli *c, unsigned long long number, int *ret_status)
{
	struct box_answer a;
	json_t *g = NULL;

	if (!show_request(c, number, &a, ret_status))
		return NULL;
	if (a.status == CLI_YES)
		g = json_pack("{s:O,s:O}", "generation", json_object_get(a.json, "generation"), "sources",
			      json_object_get(a.json, "sources"));
	else
		(void)box_answer_done(c, &a, ret_status);
	box_answer_free(&a);
	return g;
}

/* The one in force: what may be gone in a moment is nothing to come back to. NULL after saying why there is none. */
static json_t *in_force(struct cli *c, int *ret_status)
{
	json_t *g = generation(c, 0, ret_status);

	if (strcmp(js(json_object_get(g, "generation"), "state"), "waiting") != 0)
		return g;
	json_decref(g);
	*ret_status = cli_fail(c, CLI_CANNOT, M_BACKUP_TRIAL);
	return NULL;
}

/* Puts those that were confirmed behind the one in force, the newest first. One that cannot be read is left out. */
static bool add_confirmed(struct cli *c, json_t *list, const json_t *history)
{
	size_t i, n = texts_size(ja(json_array_get(list, 0), "sources"));
	struct cli silent = *c;
	const json_t *g;
	json_t *one;

	silent.out = silent.err = fopen("/dev/null", "we");
	if (silent.out == NULL)
		return false;
	json_array_foreach(history, i, g)
	{
		int status;

		if (jb(g, "in_force") || strcmp(js(g, "state"), "confirmed") != 0)
			continue;
		one = generation(&silent, ju(g, "number"), &status);
		n += texts_size(ja(one, "sources"));
		if (one != NULL && n <= TEXTS_ENOUGH)
			json_array_append(list, one);
		json_decref(one);
	}
	fclose(silent.out);
	return true;
}

static json_t *asked(struct cli *c, struct msg_body question, int *ret_status)
{
	struct box_answer a;

	return box_request(c, &question, NULL, 0, 30, &a, ret_status) ? a.json : NULL;
}

/* As the box's own file has it: each later release reads that of an earlier one, for boxes that are upgraded. Null when the box does not say it, NULL as above. */
static json_t *devices(struct cli *c, int *ret_status)
{
	const struct msg_body question = { MSG_DEVICES, .devices = { .order = DEVICES_COPY, .reason = "" } };
	struct box_answer a;

	if (!box_request(c, &question, NULL, 0, 30, &a, ret_status))
		return NULL;
	if (a.status == CLI_YES)
		return a.json;
	box_answer_free(&a);
	return json_null();
}

/* All of it, or NULL after saying why not. */
static json_t *contents(struct cli *c, int *ret_status)
{
	json_t *status = asked(c, (struct msg_body){ .type = MSG_STATUS }, ret_status), *history = NULL;
	json_t *now_in_force = NULL, *known = NULL, *list = json_array(), *all = NULL;
	struct timespec now;
	struct utsname host;

	if (status != NULL)
		history = asked(c, (struct msg_body){ .type = MSG_HISTORY }, ret_status);
	if (history != NULL)
		known = devices(c, ret_status);
	if (known != NULL)
		now_in_force = in_force(c, ret_status);
	if (json_array_append_new(list, now_in_force) == 0 && add_confirmed(c, list, ja(history, "history")) &&
	    clock_gettime(CLOCK_REALTIME, &now) == 0 && uname(&host) == 0)
		all = json_pack("{s:s,s:i,s:s,s:o,s:o,s:O,s:O,s:o,s:O,s:O}", "product", "sekisho", "form", BACKUP_FORM,
				"version", SEKISHO_VERSION, "made",
				json_time((uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec), "host",
				json_text(host.nodename), "site", json_object_get(status, "site"), "journal",
				json_object_get(status, "journal"), "cards", cards_of_box(status), "devices", known,
				"generations", list);
	if (now_in_force != NULL && all == NULL)
		*ret_status = cli_fail(c, CLI_CANNOT, M_CLI_NO_MEMORY);
	json_decref(list);
	json_decref(known);
	json_decref(status);
	json_decref(history);
	return all;
}

/* An earlier backup is never written over. */
static int write_new(const char *name, const char *line, const uint8_t *body, size_t n)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), code = 0;
	FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;

	if (f == NULL)
		return errno;
	if (fputs(line, f) < 0 || fwrite(body, 1, n, f) != n || fflush(f) != 0 || fsync(fd) != 0)
		code = errno;
	if (fclose(f) != 0 && code == 0)
		code = errno;
	if (code != 0)
		unlink(name);
	return code;
}

static int record(struct cli *c, const json_t *all, const char *name, const uint8_t digest[32])
{
	struct msg_body m = { MSG_CTL_BACKUP, .ctl_backup = { { 0 } } };
	const json_t *list = ja(all, "generations"), *known = json_object_get(all, "devices");
	size_t n = json_array_size(ja(known, "devices"));
	struct box_answer a;
	char hex[65];
	int status;

	memcpy(m.ctl_backup.digest, digest, 32);
	hex_text(digest, 32, hex);
	if (!box_request(c, &m, NULL, 0, 30, &a, &status))
		return status;
	box_answer_free(&a);
	if (c->json) {
		json_line(c->out, json_pack("{s:o,s:s,s:O,s:O,s:i,s:o}", "file", json_text(name), "sha256", hex, "made",
					    json_object_get(all, "made"), "cards", json_object_get(all, "cards"),
					    "generations", (int)json_array_size(list), "devices",
					    json_is_object(known) ? json_integer((json_int_t)n) : json_null()));
		return CLI_YES;
	}
	render_line(c, M_BACKUP_DONE, name, json_array_size(list),
		    ju(json_object_get(json_array_get(list, 0), "generation"), "number"), hex);
	if (json_is_object(known))
		render_line(c, M_BACKUP_DEVICES, n);
	else
		render_line(c, M_BACKUP_NO_DEVICES);
	return CLI_YES;
}

static int seal(struct cli *c, const json_t *all, struct bytes certificate, const char *from, const char *name)
{
	char *text = json_dumps(all, JSON_COMPACT), line[BACKUP_LINE + 1];
	enum cms_trouble t = CMS_FAILED;
	uint8_t *body = NULL, digest[32];
	size_t n = 0;
	int code;

	if (text != NULL)
		t = cms_encrypt(certificate, bytes_of(text, strlen(text)), &body, &n);
	free(text);
	if (t == CMS_PRIVATE_KEY)
		return cli_fail(c, CLI_INVALID, M_BACKUP_PRIVATE, from);
	if (t == CMS_NO_CERTIFICATE)
		return cli_fail(c, CLI_INVALID, M_BACKUP_NO_CERTIFICATE, from);
	if (t != CMS_NONE)
		return cli_fail(c, CLI_CANNOT, M_BACKUP_FAILED, from);
	backup_line(bytes_of(body, n), line);
	sha256_pair(line, strlen(line), body, n, digest);
	code = write_new(name, line, body, n);
	free(body);
	return code != 0 ? cli_fail_file(c, CLI_CANNOT, name, code) : record(c, all, name, digest);
}

static int run(struct cli *c, const struct cli_args *a)
{
	const char *from = a->values[OPT_KEY] != NULL ? a->values[OPT_KEY] : CERTIFICATE;
	uint8_t *pem = NULL;
	struct err e = { 0 };
	int status = CLI_CANNOT;
	size_t n = 0;
	json_t *all;

	if (file_read(AT_FDCWD, from, CERTIFICATE_MOST, &pem, &n, &e) < 0)
		return e.code == -ENOENT && a->values[OPT_KEY] == NULL ? cli_fail(c, CLI_INVALID, M_BACKUP_NO_KEY, from)
								       : cli_fail_file(c, CLI_INVALID, from, -e.code);
	if (!cms_ready()) {
		free(pem);
		return cli_fail(c, CLI_CANNOT, M_BACKUP_FAILED, from);
	}
	all = contents(c, &status);
	if (all != NULL)
		status = seal(c, all, bytes_of(pem, n), from, a->operands[0]);
	json_decref(all);
	free(pem);
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
