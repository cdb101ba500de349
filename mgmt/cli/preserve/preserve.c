/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sekisho preserve`: collects evidence for an investigator at once, before anything is changed.
 * The most short-lived facts come first, the oldest records last. It ends in the given time with
 * what it has and names what is missing. Then the list of all files goes to the journal, which
 * records who did this, signs its records, and seals the list. Whatever the box can no longer do
 * (daemon down, records damaged, disk full) only costs that part.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/clock.h"
#include "appliance/base/sha256.h"
#include "appliance/base/version.h"
#include "mgmt/cli/box/request.h"
#include "mgmt/cli/preserve/take.h"
#include "mgmt/cli/report/report.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/render.h"

#define SECONDS 10u
#define SECONDS_MOST 86400u
#define NS 1000000000ull
#define PATH_TEXT 4096u
#define SIGNATURE 64u

/* The state of one run. */
struct act {
	struct cli *c;
	struct bundle *b;
	const char *journal;
	uint64_t began, until;
	char path[PATH_TEXT];
	char hash[65];
	bool answered; /* the box has answered something, so waiting for it makes sense */
	bool is_signed;
	bool handed;		   /* the caller is not root: the box passes him what he may read */
	unsigned long long record; /* number of the journal's record, 0 = none */
};

#define TEXT_MOST 65536u

static uint64_t clock_ns(clockid_t which)
{
	struct timespec t = { 0 };

	(void)clock_gettime(which, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The kernel's own estimate of its clock's error. */
static json_t *kernel_clock(void)
{
	struct timex t = { 0 };
	int state = adjtimex(&t);

	return json_pack("{s:i,s:b,s:I,s:I,s:I,s:f}", "state", state, "synchronised",
			 state >= 0 && state != TIME_ERROR && (t.status & STA_UNSYNC) == 0, "offset_us",
			 (json_int_t)((t.status & STA_NANO) != 0 ? t.offset / 1000 : t.offset), "max_error_us",
			 (json_int_t)t.maxerror, "estimated_error_us", (json_int_t)t.esterror, "frequency_ppm",
			 (double)t.freq / 65536.0);
}

static json_t *line_of(const char *path)
{
	struct err e = { 0 };
	uint8_t *text = NULL;
	json_t *ret;
	size_t n = 0;

	if (file_read(AT_FDCWD, path, TEXT_MOST, &text, &n, &e) < 0)
		return json_null();
	text[strcspn((char *)text, "\n")] = '\0';
	ret = json_text((const char *)text);
	free(text);
	return ret;
}

static void take_machine(struct bundle *b)
{
	struct utsname u = { 0 };
	struct err e = { 0 };
	uint8_t *text = NULL;
	size_t n = 0;

	(void)uname(&u);
	(void)bundle_put_json(b, "machine.json",
			      json_pack("{s:o,s:I,s:I,s:o,s:o,s:s,s:o,s:o,s:o,s:o}", "time", json_time(clock_wall_ns()),
					"monotonic_ns", (json_int_t)clock_ns(CLOCK_MONOTONIC), "since_start_ns",
					(json_int_t)clock_ns(CLOCK_BOOTTIME), "start_id",
					line_of("/proc/sys/kernel/random/boot_id"), "clock", kernel_clock(), "version",
					SEKISHO_VERSION, "host", json_text(u.nodename), "kernel", json_text(u.release),
					"kernel_build", json_text(u.version), "machine", json_text(u.machine)));
	if (file_read(AT_FDCWD, "/usr/lib/os-release", TEXT_MOST, &text, &n, &e) < 0)
		bundle_miss_code(b, "os-release", -e.code);
	else
		(void)bundle_put(b, "os-release", text, n);
	free(text);
}

/* The time after `n` tenths of the whole. */
static uint64_t tenths(const struct act *a, unsigned n)
{
	return a->began + (a->until - a->began) / 10 * n;
}

static bool name_folder(struct act *a, const char *under)
{
	char when[32] = "";
	struct utsname host = { 0 };
	time_t now = (time_t)clock_wall_s();
	struct tm tm;

	(void)uname(&host);
	for (char *s = host.nodename; *s != '\0'; s++)
		if (*s == '/')
			*s = '-';
	if (gmtime_r(&now, &tm) != NULL)
		(void)strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &tm);
	return snprintf(a->path, sizeof(a->path), "%s/sekisho-evidence-%s-%s", under, host.nodename, when) <
	       (int)sizeof(a->path);
}

/* Copies policies and records: root from their folders, any other caller as the box hands them
 * out. */
static void take_kept(const struct act *a)
{
	struct cli silent;

	if (!a->handed) {
		take_generations(a->b, a->journal, tenths(a, 7));
		take_records(a->b, a->journal, tenths(a, 8));
		return;
	}
	if (!cli_silence(a->c, &silent))
		return;
	take_handed_policies(a->b, &silent, tenths(a, 7));
	take_handed_records(a->b, &silent, tenths(a, 8));
	fclose(silent.out);
}

/* Whether the box lets a caller without root rights preserve evidence. The box is asked before
 * anything is made. */
static bool may_ask(struct act *a, int *ret_status)
{
	struct box_answer answer;
	bool heard;

	if (!a->handed)
		return true;
	if (!box_request(a->c, &(struct msg_body){ .type = MSG_CHECKPOINT }, NULL, 0, take_seconds(tenths(a, 2)),
			 &answer, ret_status))
		return false;
	/* A refusal with a sentence in both languages comes from control: missing rights, or a
	 * silent journal. The journal's own errors are plain text. */
	heard = answer.status == CLI_YES || !json_is_object(json_object_get(answer.json, "error"));
	if (!heard)
		(void)box_answer_done(a->c, &answer, ret_status);
	box_answer_free(&answer);
	return heard;
}

/* Has the journal sign all records so far, before they are copied. */
static void sign_records(const struct act *a)
{
	struct box_answer answer;

	if (box_ask_silently(a->c, &(struct msg_body){ .type = MSG_CHECKPOINT }, take_seconds(tenths(a, 2)), &answer)) {
		if (answer.status == CLI_YES)
			(void)bundle_put_json(a->b, "checkpoint.json", json_incref(answer.json));
		else
			bundle_miss(a->b, "checkpoint.json", M_PRESERVE_UNSIGNED);
		box_answer_free(&answer);
	} else {
		bundle_miss(a->b, "checkpoint.json", M_PRESERVE_NO_DAEMON);
	}
}

/* Writes each answer to a file of its own; facts.json has the short ones together, for reports that
 * are made elsewhere. */
static void take_answers(struct act *a)
{
	struct facts_wish wish = { NULL, true, take_seconds(tenths(a, 5)) };
	json_t *facts = facts_gather(a->c, &wish), *answers = json_object_get(facts, "answers"), *one;
	bool absent = box_absent(a->c);
	const char *name;
	void *next;

	json_object_foreach_safe(answers, next, name, one) {
		char file[64];

		snprintf(file, sizeof(file), "%s.json", name);
		a->answered |= json_object_get(one, "answer") != NULL;
		if (json_object_get(one, "answer") != NULL)
			(void)bundle_put_json(a->b, file, json_incref(one));
		else
			bundle_miss(a->b, file, absent ? M_PRESERVE_NO_DAEMON : M_PRESERVE_NO_ANSWER);
		if (strcmp(name, "flows") == 0 || strcmp(name, "policy") == 0)
			(void)json_object_del(answers, name);
	}
	(void)bundle_put_json(a->b, "facts.json", facts);
}

/* Writes how to check the copy, wherever it is, without this product. */
static void take_readme(const struct act *a)
{
	char *text = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&text, &n);

	if (to == NULL)
		return;
	message_print(to, LANG_JA, M_PRESERVE_README);
	fputs("\n", to);
	message_print(to, LANG_EN, M_PRESERVE_README);
	if (fclose(to) == 0)
		(void)bundle_put(a->b, "README.txt", text, n);
	free(text);
}

static void take_contents(const struct act *a)
{
	struct utsname host = { 0 };

	(void)uname(&host);
	(void)bundle_put_json(a->b, "contents.json",
			      json_pack("{s:s,s:i,s:s,s:o,s:o,s:b,s:O,s:O}", "product", "sekisho-evidence", "form", 1,
					"version", SEKISHO_VERSION, "host", json_text(host.nodename), "made",
					json_time(clock_wall_ns()), "handed", a->handed, "files", bundle_files(a->b),
					"missing", bundle_missing(a->b)));
}

/* Has the journal record the digest of the list. If the journal has a key, stores the signature
 * that it returns. */
static void seal(struct act *a, const uint8_t digest[32])
{
	struct msg_body m = { MSG_PRESERVE, .preserve = { { 0 } } };
	uint8_t signature[SIGNATURE];
	struct box_answer answer;
	const char *text;

	memcpy(m.preserve.digest, digest, sizeof(m.preserve.digest));
	if (box_ask_silently(a->c, &m, a->answered ? take_seconds(a->until) : 1, &answer)) {
		text = js(answer.json, "seal");
		a->record = answer.status == CLI_YES ? ju(answer.json, "seq") : 0;
		a->is_signed = *text != '\0' && hex_read(js(answer.json, "signature"), signature, SIGNATURE) &&
			       bundle_beside(a->b, "SEAL", text, strlen(text)) &&
			       bundle_beside(a->b, "SEAL.sig", signature, sizeof(signature)) &&
			       bundle_beside(a->b, "box.pem", js(answer.json, "key"), strlen(js(answer.json, "key")));
		box_answer_free(&answer);
	}
}

static void say_made(const struct act *a, double took)
{
	struct cli *c = a->c;
	char seconds[32];

	snprintf(seconds, sizeof(seconds), "%.1f", took);
	render_line(c, M_PRESERVE_DONE, a->path, json_array_size(bundle_files(a->b)),
		    (unsigned long long)bundle_bytes(a->b), seconds);
	render_line(c, M_PRESERVE_HASH, a->hash);
	if (a->record != 0)
		render_line(c, M_PRESERVE_RECORDED, a->record);
	else
		render_line(c, M_PRESERVE_NOT_RECORDED);
	render_line(c, a->is_signed ? M_PRESERVE_SEALED : M_PRESERVE_NOT_SEALED);
	json_each(m, bundle_missing(a->b))
		render_line(c, M_PRESERVE_MISSING, js(m, "file"), js(m, lang_name(c->lang)));
}

/* Whether everything was collected, recorded and sealed. */
static int finish(struct act *a)
{
	double took = (double)(clock_mono().ns - a->began) / 1e9;
	bool whole = json_array_size(bundle_missing(a->b)) == 0 && a->record != 0 && a->is_signed;

	if (a->c->json)
		json_line(a->c->out,
			  json_pack("{s:o,s:I,s:I,s:s,s:o,s:b,s:f,s:O}", "folder", json_text(a->path), "files",
				    (json_int_t)json_array_size(bundle_files(a->b)), "bytes",
				    (json_int_t)bundle_bytes(a->b), "sha256", a->hash, "recorded",
				    a->record != 0 ? json_integer((json_int_t)a->record) : json_null(), "sealed",
				    a->is_signed, "seconds", took, "missing", bundle_missing(a->b)));
	else
		say_made(a, took);
	return whole ? CLI_YES : CLI_NO;
}

static int take_all(struct act *a)
{
	uint8_t digest[32];

	sign_records(a);
	take_machine(a->b);
	take_answers(a);
	take_readme(a);
	take_kept(a);
	take_contents(a);
	if (!bundle_close(a->b, digest))
		return cli_fail_file(a->c, CLI_CANNOT, a->path, errno);
	hex_text(digest, sizeof(digest), a->hash);
	seal(a, digest);
	return finish(a);
}

int verb_preserve(struct cli *c, const struct cli_args *args)
{
	const char *under = args->values[OPT_PRESERVE_OUT], *within = args->values[OPT_PRESERVE_SECONDS];
	unsigned long long seconds = SECONDS;
	struct act a = { .c = c, .journal = args->values[OPT_PRESERVE_RECORDS], .began = clock_mono().ns };
	int status;

	if (within != NULL && (!cli_seconds(within, SECONDS_MOST, &seconds) || seconds == 0))
		return cli_fail(c, CLI_INVALID, M_PRESERVE_WITHIN, SECONDS_MOST);
	a.until = a.began + seconds * NS;
	a.handed = geteuid() != 0;
	/* A folder given by the caller could be his own forgery; the box passes on its own
	 * files. */
	if (a.handed && a.journal != NULL)
		return cli_fail(c, CLI_INVALID, M_PRESERVE_JOURNAL_ROOTS);
	if (!may_ask(&a, &status))
		return status;
	if (a.journal == NULL)
		a.journal = FACTS_JOURNAL;
	if (!name_folder(&a, under != NULL ? under : "."))
		return cli_fail_file(c, CLI_INVALID, under, ENAMETOOLONG);
	a.b = bundle_new(a.path);
	if (a.b == NULL)
		return cli_fail_file(c, CLI_CANNOT, a.path, errno);
	status = take_all(&a);
	bundle_free(a.b);
	return status;
}
