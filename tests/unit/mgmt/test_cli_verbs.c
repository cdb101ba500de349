/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The built `sekisho` as a person uses it: help of every verb in both languages, exit statuses
 * without a box, and what is printed when a box answers (a box of the test, with answers as in
 * docs/json.md).
 *
 * LINK: appliance/wire/msg.c appliance/base/bytes.c
 * LINK: appliance/base/err.c appliance/base/utf8.c appliance/base/memfd.c
 * LIBS: jansson
 */
#include "tests/unit/cmocka.h"

#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <libgen.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "appliance/wire/msg.h"
#include "appliance/wire/role.h"
#include "appliance/wire/said.h"

#define OUTPUT 65536
#define WORDS 12

static char program[512];
static char folder[] = "/tmp/sekisho-cli-XXXXXX";
static char socket_path[64];

struct run {
	int status;
	char out[OUTPUT], err[OUTPUT];
};

static void slurp(int fd, char *into)
{
	ssize_t n;
	size_t have = 0;

	assert_true(lseek(fd, 0, SEEK_SET) == 0);
	while ((n = read(fd, into + have, OUTPUT - 1 - have)) > 0)
		have += (size_t)n;
	into[have] = '\0';
	close(fd);
}

static int scratch(void)
{
	int fd = memfd_create("output", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static _Atomic pid_t running;
static uid_t as; /* who runs it, when root runs this test */

/* Runs `sekisho` with these words, separated by spaces, and the socket of the test. It is killed
 * after half a minute. */
static void run(struct run *r, const char *text)
{
	char copy[512], *argv[WORDS + 1] = { program }, *save = NULL;
	int out = scratch(), err = scratch(), built = open(program, O_RDONLY | O_CLOEXEC), status, argc = 1;
	pid_t pid;

	snprintf(copy, sizeof(copy), "%s", text);
	for (char *w = strtok_r(copy, " ", &save); w != NULL && argc < WORDS; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(out, STDOUT_FILENO);
		dup2(err, STDERR_FILENO);
		setenv("SEKISHO_SOCKET", socket_path, 1);
		setenv("LC_ALL", "C.UTF-8", 1);
		setenv("TZ", "UTC", 1);
		alarm(30);
		if (geteuid() == 0 && as != 0 && setuid(as) < 0)
			_exit(126);
		fexecve(built, argv, environ);
		_exit(127);
	}
	running = pid;
	assert_true(waitpid(pid, &status, 0) == pid);
	running = 0;
	close(built);
	r->status = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
	slurp(out, r->out);
	slurp(err, r->err);
}

static void expect_in(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void expect_not_in(const char *text, const char *part)
{
	if (strstr(text, part) != NULL)
		fail_msg("\"%s\" is in:\n%s", part, text);
}

#define ANY (-1)

/* Runs `sekisho`, and compares its exit status and its output with all these texts; "!text" must
 * not be in the output. */
static void expect_said(struct run *r, const char *line, int status, const char *const *parts)
{
	run(r, line);
	if (status != ANY)
		assert_int_equal(r->status, status);
	for (; *parts != NULL; parts++)
		(**parts == '!' ? expect_not_in : expect_in)(r->out, *parts + (**parts == '!'));
}
#define says(r, line, status, ...) expect_said(r, line, status, (const char *const[]){ __VA_ARGS__, NULL })

/* ---- a box ----------------------------------------------------------------------------------- */

struct box {
	int listener;
	pthread_t thread;
	/* JSON; NULL = the connection is closed without an answer */
	const char *answers[MSG_TYPE_COUNT];
	uint8_t status[MSG_TYPE_COUNT];
	unsigned asked[MSG_TYPE_COUNT];
	/* after this number of the same question the asker is ended by SIGALRM; 0 = never */
	unsigned enough;
	struct msg_body last; /* request */
	size_t bundle_bytes;  /* of the last apply */
};

static struct box box;

static void answer(int sock, const struct msg *m)
{
	const char *json = box.answers[m->body.type];
	int fd = json != NULL ? memfd_sealed("answer", json, strlen(json)) : -1;
	const struct msg_body says = { MSG_ANSWER, .answer = { .status = box.status[m->body.type] } };

	if (json != NULL)
		msg_send(sock, m->id, &says, &fd, 1);
	if (fd >= 0)
		close(fd);
}

static void *box_loop(void *arg)
{
	static struct msg m;
	int sock;

	(void)arg;
	while ((sock = accept4(box.listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		uint8_t head[2] = { 0 };
		enum msg_type type;

		/* The role control gets the message, or passes on what is for the supervisor. */
		(void)recv(sock, head, sizeof(head), MSG_PEEK);
		type = (enum msg_type)(head[0] << 8 | head[1]);
		if (msg_recv(sock, ROLE_CLI, msg_may_say(type, ROLE_CLI, ROLE_CONTROL) ? ROLE_CONTROL : ROLE_SUPERVISOR,
			     &m) > 0) {
			struct stat st;

			box.asked[m.body.type]++;
			box.last = m.body;
			box.bundle_bytes = m.n_fds == 1 && fstat(m.fds[0], &st) == 0 ? (size_t)st.st_size : 0;
			answer(sock, &m);
			msg_close_fds(&m);
			if (box.enough != 0 && box.asked[m.body.type] >= box.enough && running != 0)
				kill(running, SIGALRM);
		}
		close(sock);
	}
	return NULL;
}

static void box_open(void)
{
	struct sockaddr_un here = { .sun_family = AF_UNIX };

	memset(&box, 0, sizeof(box));
	snprintf(here.sun_path, sizeof(here.sun_path), "%s", socket_path);
	box.listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_true(box.listener >= 0);
	assert_int_equal(bind(box.listener, (const struct sockaddr *)&here, sizeof(here)), 0);
	assert_int_equal(listen(box.listener, 8), 0);
	assert_int_equal(pthread_create(&box.thread, NULL, box_loop, NULL), 0);
}

static void box_close(void)
{
	shutdown(box.listener, SHUT_RDWR);
	pthread_join(box.thread, NULL);
	close(box.listener);
	unlink(socket_path);
}

static void box_says(enum msg_type type, uint8_t status, const char *json)
{
	box.answers[type] = json;
	box.status[type] = status;
}

/* ---- without a box --------------------------------------------------------------------------- */

static const struct {
	const char *verb, *options[4];
} verbs[] = {
	{ "check", { 0 } },
	{ "compile", { "--to", "--output", "-o" } },
	{ "protocols", { 0 } },
	{ "diff", { 0 } },
	{ "prove", { 0 } },
	{ "ask", { "--policy", "--at" } },
	{ "who-can", { "--policy", "--at" } },
	{ "reach", { "--policy", "--at" } },
	{ "replay", { "--policy", "--pcap" } },
	{ "status", { 0 } },
	{ "apply", { "--confirm", "--dry-run", "--comment", "--take-over" } },
	{ "confirm", { 0 } },
	{ "rollback", { "--to", "--dry-run", "--comment" } },
	{ "draft", { "--revision", "--base", "--confirm", "--take-over" } },
	{ "backup", { "--to" } },
	{ "restore", { "--key", "--map", "--generation", "--confirm" } },
	{ "history", { 0 } },
	{ "show", { 0 } },
	{ "effective", { "--to", "--conduit", "--asset", "--host" } },
	{ "verify", { 0 } },
	{ "explain", { 0 } },
	{ "events", { "--since", "--verdict", "--host", "--severity" } },
	{ "journal verify", { 0 } },
	{ "preserve", { "--out", "--within" } },
	{ "review", { "--month", "--by", "--result", "--note" } },
	{ "report controls", { "--html", "--csv", "--facts", "--journal" } },
	{ "report incident", { "--html", "--from", "--noticed", "--contact" } },
	{ "report audit", { "--html", "--month", "--from", "--until" } },
	{ "report self-check", { "--html", "--csv", "--facts", "--journal" } },
};
#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static void test_every_help(void **state)
{
	static struct run r, overview;
	static const char *const words[2][2] = { { "usage: sekisho ", "Exit status" },
						 { "使い方: sekisho ", "終了ステータス" } };
	static const char *const langs[2] = { "en", "ja" };

	(void)state;
	for (size_t l = 0; l < 2; l++) {
		char line[200];

		snprintf(line, sizeof(line), "--help --lang %s", langs[l]);
		run(&overview, line);
		assert_int_equal(overview.status, 0);
		for (size_t i = 0; i < VERBS; i++) {
			snprintf(line, sizeof(line), "%s --help --lang %s", verbs[i].verb, langs[l]);
			run(&r, line);
			assert_int_equal(r.status, 0);
			assert_string_equal(r.err, "");
			snprintf(line, sizeof(line), "%s%s", words[l][0], verbs[i].verb);
			expect_in(r.out, line);
			expect_in(r.out, words[l][1]);
			expect_in(r.out, "--json");
			snprintf(line, sizeof(line), "\n  %s", verbs[i].verb);
			expect_in(overview.out, line);
			for (size_t o = 0; o < 4 && verbs[i].options[o] != NULL; o++)
				expect_in(r.out, verbs[i].options[o]);
		}
	}
	says(&r, "help apply", ANY, "usage: sekisho apply");
	says(&r, "journal --help", 0, "usage: sekisho journal verify");
	says(&r, "help journal", ANY, "usage: sekisho journal verify");
	run(&r, "status --frob");
	assert_int_equal(r.status, 2);
	assert_null(strstr(r.err, "Did you mean"));
}

static void test_usage(void **state)
{
	static const struct {
		const char *line, *says;
	} bad[] = {
		{ "chek site.cfg", "Did you mean 'check'?" },
		{ "apply site.cfg --confrim 3", "Did you mean '--confirm'?" },
		{ "check", "POLICY is missing" },
		{ "check a b", "unexpected argument 'b'" },
		{ "status --lang fr", "'fr'" },
		{ "journal", "needs a subcommand: verify, checkpoint, copy, hold, holds, lift" },
		{ "journal verfy folder", "needs a subcommand: verify, checkpoint, copy, hold, holds, lift" },
		{ "apply site.cfg --confirm 0", "--confirm takes seconds" },
		{ "apply --confirm site.cfg", "'--confirm' takes SECONDS, not 'site.cfg'" },
		{ "compile --to site.cfg", "'--to' takes nft|json|text|sealed, not 'site.cfg'" },
		{ "check --lang site.cfg", "'--lang' takes ja|en, not 'site.cfg'" },
		{ "replay --policy --pcap x", "'--policy' needs a value" },
		{ "rollback --to --dry-run", "'--to' needs a value" },
		{ "apply site.cfg --confirm 1e3", "--confirm takes seconds" },
		{ "rollback --to 0", "not '0'" },
		{ "show 4x", "not '4x'" },
		{ "events --limit 0", "--limit takes a number" },
		{ "events --after -1", "--after takes" },
		{ "explain twelve", "'twelve'" },
		{ "explain 0", "'0' is not the number of an event" },
		{ "compile site.cfg --to pdf", "'pdf'" },
		{ "compile site.cfg --to sealed", "-o FILE" },
		{ "effective --to pdf", "'pdf'" },
		{ "replay --policy site.cfg", "usage: sekisho replay" },
		{ "journal verify /nothing/here", "/nothing/here: no such file" },
	};
	char records[] = "/tmp/sekisho-test-XXXXXX", head[64], asked[96];
	static struct run r;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char line[200];
		json_t *j;

		run(&r, bad[i].line);
		assert_int_equal(r.status, 2);
		assert_string_equal(r.out, "");
		expect_in(r.err, bad[i].says);
		snprintf(line, sizeof(line), "%s --json", bad[i].line);
		run(&r, line);
		assert_int_equal(r.status, 2);
		assert_string_equal(r.err, "");
		j = json_loads(r.out, 0, NULL);
		assert_true(json_is_string(json_object_get(j, "error")));
		assert_int_equal(json_integer_value(json_object_get(j, "status")), 2);
		json_decref(j);
	}
	run(&r, "");
	assert_int_equal(r.status, 2);
	expect_in(r.err, "usage: sekisho");
	/* Messages of the system about a file are in the reader's language too. */
	run(&r, "journal verify /nothing/here --lang ja");
	expect_in(r.err, "/nothing/here: ファイルまたはフォルダーがありません");
	assert_non_null(mkdtemp(records));
	snprintf(head, sizeof(head), "%s/head", records);
	assert_int_equal(mkdir(head, 0700), 0);
	snprintf(asked, sizeof(asked), "journal verify %s --lang ja", records);
	run(&r, asked);
	assert_int_equal(r.status, 3);
	expect_in(r.err, "head を読めません: ファイルではなくフォルダー");
	assert_int_equal(rmdir(head) + rmdir(records), 0);
	run(&r, "replay --policy site.cfg --pcap / --lang ja");
	assert_int_equal(r.status, 3);
	expect_in(r.err, "/: ファイルではなくフォルダーです");
}

static void test_no_box(void **state)
{
	static const char *const lines[] = {
		"status", "confirm",   "rollback", "history",	       "effective",
		"verify", "explain 1", "events",   "events --after 3",
	};
	static struct run r;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		run(&r, lines[i]);
		assert_int_equal(r.status, 3);
		assert_string_equal(r.out, "");
		expect_in(r.err, socket_path);
		expect_in(r.err, "not running");
		assert_ptr_equal(strchr(r.err, '\n'), r.err + strlen(r.err) - 1); /* one sentence */
	}
	run(&r, "status --all --lang ja");
	expect_in(r.err, "sekishod が応答しません");
}

static void policy(char *path, size_t size, const char *text)
{
	FILE *f;

	snprintf(path, size, "%s/site.cfg", folder);
	f = fopen(path, "we");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

#define HEAD                                                                                                           \
	"language_version = 1;\nsite = { name = \"kita\"; label = \"北ターミナル\"; };\nzones = {\n"             \
	"  office = { interfaces = [\"lan0\"]; networks = [\"10.10.0.0/16\"]; class = \"it\"; owner = \"IT\"; };\n"    \
	"  crane = { interfaces = [\"lan2\"]; networks = [\"10.30.0.0/22\"]; class = \"ot\"; owner = \"Cranes\"; "     \
	"};\n};\n"                                                                                                     \
	"services = { plc = { protocol = \"modbus\"; ports = [\"tcp/502\"]; allow = ( { commands = [\"%s\"]; units = " \
	"[1]; } ); }; };\n"                                                                                            \
	"conduits = ( { name = \"office-cranes\"; from = \"office\"; to = \"crane\"; services = [\"plc\"];\n"          \
	"  purpose = \"test\"; owner = \"IT\"; approved_by = \"CISO\"; review_by = \"2099-01-01\"; } );\n"             \
	"never = ( { from = \"office\"; to = \"crane\"; commands = [\"write\"]; scope = \"direct\"; } );\n"

static void test_off_line(void **state)
{
	static struct run r;
	char text[2000], path[100], line[300];
	struct stat st;
	json_t *j;

	(void)state;
	snprintf(text, sizeof(text), HEAD, "read");
	policy(path, sizeof(path), text);
	snprintf(line, sizeof(line), "check %s", path);
	run(&r, line);
	assert_int_equal(r.status, 0);
	snprintf(line, sizeof(line), "prove %s", path);
	says(&r, line, 0, "holds");
	snprintf(line, sizeof(line), "compile %s --to sealed -o %s/sealed", path, folder);
	run(&r, line);
	assert_int_equal(r.status, 0);
	snprintf(line, sizeof(line), "%s/sealed", folder);
	assert_int_equal(stat(line, &st), 0);
	assert_true(st.st_size > 100);
	unlink(line);
	/* The output never overwrites a file from which it is made, whatever its name is. */
	snprintf(line, sizeof(line), "compile %s -o %s/./site.cfg", path, folder);
	run(&r, line);
	assert_int_equal(r.status, 2);
	expect_in(r.err, "is a file of this policy");
	snprintf(line, sizeof(line), "compile %s --json", path);
	run(&r, line);
	assert_int_equal(r.status, 0);
	j = json_loads(r.out, 0, NULL);
	assert_non_null(json_object_get(j, "generation"));
	json_decref(j);
	/* A conduit breaks the statement: check and apply call the policy invalid, prove says
	 * "no". */
	snprintf(text, sizeof(text), HEAD, "write");
	policy(path, sizeof(path), text);
	snprintf(line, sizeof(line), "check %s", path);
	run(&r, line);
	assert_int_equal(r.status, 2);
	expect_in(r.err, "site.cfg:");
	snprintf(line, sizeof(line), "apply %s", path);
	run(&r, line);
	assert_int_equal(r.status, 2); /* and not 3: the box was not asked at all */
	snprintf(line, sizeof(line), "prove %s", path);
	says(&r, line, 1, "BROKEN", "office-cranes");
	snprintf(line, sizeof(line), "prove %s --json", path);
	run(&r, line);
	assert_int_equal(r.status, 1);
	j = json_loads(r.out, 0, NULL);
	assert_false(json_is_true(json_object_get(json_array_get(json_object_get(j, "nevers"), 0), "holds")));
	assert_non_null(json_object_get(json_array_get(json_object_get(j, "nevers"), 0), "packet"));
	json_decref(j);
	unlink(path);
	snprintf(line, sizeof(line), "check %s --lang ja", path);
	run(&r, line);
	assert_int_equal(r.status, 2);
}

/* A file may have any name; its name cannot control the terminal. */
static void names_steer_no_terminal(void **state)
{
	static const struct {
		/* `beside`: what is appended to the policy's name for -o; "" = the policy itself,
		 * NULL = no -o */
		const char *verb, *beside;
		int status;
	} lines[] = { { "check", NULL, 0 }, { "prove", NULL, 0 }, { "compile", ".nft", 0 }, { "compile", "", 2 } };
	static struct run r;
	char text[2000], path[100], named[140], line[400];

	(void)state;
	snprintf(text, sizeof(text), HEAD, "read");
	policy(path, sizeof(path), text);
	snprintf(named, sizeof(named), "%s/\033[31ms.cfg", folder);
	assert_int_equal(rename(path, named), 0);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const char *beside = lines[i].beside;

		snprintf(line, sizeof(line), "%s %s%s%s%s", lines[i].verb, named, beside != NULL ? " -o " : "",
			 beside != NULL ? named : "", beside != NULL ? beside : "");
		run(&r, line);
		assert_int_equal(r.status, lines[i].status);
		expect_in(r.status == 0 ? r.out : r.err, "?[31ms.cfg");
		expect_not_in(r.out, "\033");
		expect_not_in(r.err, "\033");
	}
	unlink(named);
	snprintf(line, sizeof(line), "%s.nft", named);
	unlink(line);
}

static void read_top(const char *name, char *into)
{
	char path[700];
	int fd;

	/* build/<mode>/tests/../sekisho */
	snprintf(path, sizeof(path), "%.*s/../../../%s", (int)(strlen(program) - strlen("/../sekisho")), program, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail_msg("%s cannot be opened", path);
	slurp(fd, into);
}

/* The man pages and the completion know every verb and option. */
static void test_documents(void **state)
{
	static const char *const names[] = { "docs/sekisho.1", "docs/sekisho.ja.1", "mgmt/completion/sekisho.bash" };
	static char text[OUTPUT], plain[OUTPUT];

	(void)state;
	for (size_t d = 0; d < sizeof(names) / sizeof(names[0]); d++) {
		size_t n = 0;

		read_top(names[d], text);
		for (const char *p = text; *p != '\0'; p++)
			if (*p != '\\') /* roff writes a minus as \- */
				plain[n++] = *p;
		plain[n] = '\0';
		for (size_t i = 0; i < VERBS; i++) {
			char verb[32];

			snprintf(verb, sizeof(verb), "%.*s", (int)strcspn(verbs[i].verb, " "), verbs[i].verb);
			expect_in(plain, verb);
			for (size_t o = 0; o < 4 && verbs[i].options[o] != NULL; o++)
				expect_in(plain, verbs[i].options[o]);
		}
		expect_in(plain, "--socket");
		expect_in(plain, "--lang");
	}
}

/* ---- with a box ------------------------------------------------------------------------------ */

#define GENERATION(state, by)                                                                                          \
	"\"generation\":{\"number\":4,\"digest\":\"0123456789abcdef0123\",\"state\":\"" state                          \
	"\",\"applied\":\"2026-11-20T08:10:11.123Z\",\"confirm_by\":" by "}"
#define ROLES(enforce, dpi)                                                                                            \
	"\"roles\":[{\"role\":\"enforce\",\"index\":0,\"pid\":7,\"state\":\"" enforce                                  \
	"\",\"restarts\":0,\"since\":null},"                                                                           \
	"{\"role\":\"dpi\",\"index\":9,\"kind\":\"naming\",\"pid\":8,\"state\":\"" dpi                                 \
	"\",\"restarts\":2,\"since\":\"2026-11-20T08:10:11Z\"}]"
#define REST                                                                                                           \
	"\"backend\":\"compat\",\"features\":{\"queue\":{\"used\":false,\"why\":\"kernel\"},"                          \
	"\"flowtable\":{\"used\":false,\"why\":\"unjudged\"},\"owned_table\":{\"used\":false,\"why\":\"kernel\"}},"    \
	"\"drift\":{\"seen\":0,\"last\":null},\"workers\":[{\"index\":0,"                                              \
	"\"kind\":\"commands\",\"packets\":9,"                                                                         \
	"\"dropped\":2,"                                                                                               \
	"\"reasons\":{\"modbus.function\":3,\"allowed\":5}}],\"queues\":[{\"outstanding\":1}],"                        \
	"\"kernel\":{\"counters\":{\"no_conduit\":{\"packets\":12,\"bytes\":720},"                                     \
	"\"unanswered.held\":{\"packets\":142,\"bytes\":9}}},\"journal\":{\"records\":17,"                             \
	"\"lost\":0}"
#define STATUS(state, by, enforce, dpi)                                                                                \
	"{\"site\":{\"name\":\"kita\",\"label\":\"北\\u001b[31m\"}," GENERATION(state, by) "," ROLES(enforce,          \
												     dpi) "," REST "}"

/* Status is not green while something is wrong, also if the rules are right: the first line says
 * what, in words. */
static void test_status_faults(void **state)
{
#define LINK(name, link)                                                                                               \
	"{\"name\":\"" name "\",\"device\":\"d-" name                                                                  \
	"\",\"space\":\"data\",\"zones\":[{\"name\":\"crane\",\"label\":\"RTG\"}],"                                    \
	"\"link\":\"" link                                                                                             \
	"\",\"addresses\":[\"10.0.0.1/24\"],\"rx\":{\"packets\":7,\"errors\":1,\"dropped\":2},\"tx\":{\"packets\":9}}"
#define BOX(rest)                                                                                                      \
	"{" GENERATION("confirmed", "null") ",\"roles\":[{\"role\":\"enforce\",\"state\":\"running\"}]," rest "}"
	static const struct {
		const char *json, *first;
		int status;
	} cases[] = {
		{ BOX("\"interfaces\":[" LINK("lan1", "up") "]"), "ENFORCING\n", 0 },
		{ BOX("\"interfaces\":[" LINK("lan1", "no_carrier") "]"),
		  "interface lan1 (zone crane (RTG)) has no link\n", 1 },
		{ BOX("\"interfaces\":[" LINK("lan1", "down") "]"), "is turned off\n", 1 },
		{ BOX("\"interfaces\":[" LINK("lan1", "absent") "]"), "no device d-lan1\n", 1 },
		{ BOX("\"interfaces\":null"), "could not be read", 1 },
		{ BOX("\"foreign\":[\"table ip nat\"]"), "another program has rules here: table ip nat\n", 1 },
		{ BOX("\"kernel\":{\"forwarding\":false}"), "forwarding is off", 1 },
		{ BOX("\"kernel\":{\"digest\":\"00\"}"), "not those of the policy in force", 1 },
		{ BOX("\"surroundings\":[{\"where\":\"interface lan0\",\"what\":\"foreign\",\"detail\":\"XDP\"}]"),
		  "interface lan0: XDP", 1 },
		{ BOX("\"surroundings\":[{\"where\":\"routes\",\"what\":\"missing\",\"detail\":\"10.9.0.0/16\"}]"),
		  "routes, missing: 10.9.0.0/16", 1 },
		{ BOX("\"settings\":[{\"name\":\"net.x\",\"is\":\"0\",\"want\":\"1\"}]"), "net.x is 0, must be 1", 1 },
		{ BOX("\"notice\":{\"en\":\"boot again\",\"ja\":\"x\"}"), "boot again", 1 },
	};
	static struct run r;

	(void)state;
	box_open();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		box_says(MSG_STATUS, 0, cases[i].json);
		run(&r, "status");
		assert_int_equal(r.status, cases[i].status);
		*strchr(r.out, '\n') = '\0';
		expect_in(cases[i].first[strlen(cases[i].first) - 1] == '\n' ? strcat(r.out, "\n") : r.out,
			  cases[i].first);
		run(&r, "status --json");
		assert_int_equal(r.status, cases[i].status);
	}
	/* Only the journal knows whether records are deleted: if it is silent, nothing is said
	 * about it. */
	box_says(MSG_STATUS, 0, BOX("\"journal\":{\"records\":1,\"keep_days\":0,\"delete_after_days\":0}"));
	says(&r, "status --all", ANY, "no record is deleted");
	box_says(MSG_STATUS, 0, BOX("\"journal\":null"));
	run(&r, "status");
	assert_null(strstr(r.out, "retention"));
	box_says(MSG_STATUS, 0, cases[1].json);
	says(&r, "status --all --lang ja", ANY, "リンクが切れています", "7 (-3)", "10.0.0.1/24");
	box_close();
#undef BOX
#undef LINK
}

static void test_status(void **state)
{
	static const struct {
		const char *json, *first;
		int status;
	} cases[] = {
		{ STATUS("confirmed", "null", "running", "running"), "ENFORCING\n", 0 },
		{ STATUS("waiting", "\"2026-11-20T08:20:00Z\"", "running", "running"),
		  "ENFORCING, policy not confirmed yet\n", 0 },
		{ STATUS("confirmed", "null", "running", "dead"), "INSPECTION IMPAIRED", 1 },
		{ STATUS("confirmed", "null", "dead", "running"), "RULES IN FORCE BUT NOT WATCHED", 1 },
		{ "{\"generation\":{\"state\":\"none\"}," ROLES("running", "running") "}", "NO POLICY IN FORCE", 1 },
		{ "{}", "NO POLICY IN FORCE", 1 },
	};
	static struct run r;

	(void)state;
	box_open();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		box_says(MSG_STATUS, 0, cases[i].json);
		run(&r, "status");
		assert_int_equal(r.status, cases[i].status);
		assert_memory_equal(r.out, cases[i].first, strlen(cases[i].first));
		run(&r, "status --json");
		assert_int_equal(r.status, cases[i].status);
	}
	box_says(MSG_STATUS, 0, cases[1].json);
	says(&r, "status --all", ANY, "2026-11-20 08:20:00 UTC", "sekisho confirm",
	     "12  kernel   no conduit allows this", "3  workers  function code not allowed", "!allowed by the policy");
	/* Traffic that passed uninspected is named, but not as refused. */
	expect_not_in(strstr(r.out, "Passed without inspection"), "no conduit allows this");
	expect_in(strstr(r.out, "Passed without inspection"), "142  kernel  the inspector did not answer; the packet");
	expect_in(r.out, "dpi/9 (naming)");
	expect_in(r.out, "worker 0 (commands): 9 packets");
	expect_in(r.out, "queueing: NFQUEUE target");
	expect_in(r.out, "flowtables: not used (");
	expect_in(r.out, "table of the rules: no owner (");
	/* no colours in a file, and no control characters from a label */
	expect_not_in(r.out, "\033");
	says(&r, "status --all --lang ja", ANY, "dpi/9（識別用）", "ワーカー 0（コマンド用）",
	     "フローテーブル: 不使用（", "ルールのテーブル: 所有者なし（", "防御中", "許可するコンジットがない");
	box_says(MSG_STATUS, 0,
		 "{" GENERATION("confirmed", "null") ",\"roles\":[{\"role\":\"enforce\",\"state\":\"running\"}],"
						     "\"journal\":{\"records\":1,\"trouble\":\"no space left\"}}");
	says(&r, "status", 1, "ENFORCING, but events cannot be recorded\n", "journal     no space left\n");
	for (size_t i = 0; i < 3; i++) {
		static const char *const owned[][2] = { { "true,\"why\":null", "rules: owned (" },
							{ "false,\"why\":\"earlier\"", "no owner until the machine" },
							{ "false,\"why\":\"outlived\"",
							  "no owner (before Linux 6.9" } };
		char json[400];

		snprintf(json, sizeof(json),
			 "{" GENERATION("confirmed", "null") ",\"features\":{\"owned_table\":{\"used\":%s}}}",
			 owned[i][0]);
		box_says(MSG_STATUS, 0, json);
		says(&r, "status --all", ANY, owned[i][1]);
	}
	/* The reason is in the reader's language, as far as it is known. */
	box_says(MSG_STATUS, 0,
		 "{" GENERATION("confirmed",
				"null") ",\"roles\":[{\"role\":\"enforce\",\"state\":\"running\"}],"
					"\"journal\":{\"records\":1,\"trouble\":\"write to the journal: No space "
					"left on device\"}}");
	says(&r, "status", ANY, "journal     write to the journal: No space left on device\n");
	says(&r, "status --lang ja", ANY, "記録        記録を書き込めません: ディスクの空きなし\n");
	/* Changes by others than the box stand at the top; a role that has ended has no pid. */
	box_says(MSG_STATUS, 0,
		 "{" GENERATION("confirmed",
				"null") ",\"drift\":{\"seen\":2,\"last\":\"2026-11-20T08:10:11Z\"},\"roles\":[{"
					"\"role\":\"enforce\",\"pid\":7,\"state\":\"running\"},{\"role\":\"tap\","
					"\"pid\":0,\"state\":\"dead\"}]}");
	says(&r, "status --all", ANY, "CHANGED FROM OUTSIDE (times: 2), last 2026-11-20 08:10:11 UTC");
	assert_true(strstr(r.out, "CHANGED FROM OUTSIDE") < strstr(r.out, "Processes"));
	expect_in(r.out, "DEAD       -");
	box_close();
}

/* Without --all the output fits on a screen of 24 lines, whatever is wrong; the number of omitted
 * lines is stated. */
static void test_one_screen(void **state)
{
	static struct run r;
	char json[8192] = "{" GENERATION("confirmed", "null") "," ROLES(
		"running",
		"running") ","
			   "\"interfaces\":[{\"name\":\"lan0\",\"link\":\"up\"},{\"name\":\"lan1\",\"link\":\"down\"}],"
			   "\"certificates\":[{\"list\":[{\"subject\":\"CN=late\",\"until\":\"2031-01-01T00:00:00Z\"},"
			   "{\"subject\":\"CN=soon\",\"until\":\"2027-01-01T00:00:00Z\"}]}],\"expected\":{\"conduits\":"
			   "[";
	size_t lines;

	(void)state;
	box_open();
	for (int i = 0; i < 30; i++)
		snprintf(json + strlen(json), sizeof(json) - strlen(json),
			 "%s{\"conduit\":\"c%02d\",\"since\":\"2026-11-20T08:10:11Z\",\"within_s\":60}",
			 i > 0 ? "," : "", i);
	snprintf(json + strlen(json), sizeof(json) - strlen(json), "]}}");
	box_says(MSG_STATUS, 0, json);
	for (int l = 0; l < 2; l++) {
		lines = 0;
		run(&r, l == 0 ? "status --lang en" : "status --lang ja");
		for (const char *p = r.out; *p != '\0'; p++)
			lines += *p == '\n';
		assert_true(lines > 12 && lines < 24);
		expect_in(r.out, "c00");
		expect_not_in(r.out, "c29");
		expect_in(r.out, "lan1");
		expect_not_in(r.out, "lan0");
		expect_in(r.out, "CN=soon");
		expect_in(r.out, l == 0 ? "lines left out here: " : "  - ほか ");
		expect_in(r.out, "sekisho status --all");
	}
	says(&r, "status --all", ANY, "c29", "lan0");
	box_close();
}

/* A box between two switches: the number of hosts on each side for which it answers, the first of
 * them, and all of them in `effective`. */
static void test_answers(void **state)
{
#define ANSWERS                                                                                                        \
	"\"count\":20,\"ranges\":[\"10.30.0.10-10.30.0.19\",\"10.30.0.31\",\"10.30.0.33\",\"10.30.0.64/"               \
	"30\",\"10.30.0.77\",\"2001:db8::9\"]"
	static struct run r;

	(void)state;
	box_open();
	box_says(MSG_STATUS, 0,
		 "{" GENERATION("confirmed", "null") "," ROLES(
			 "running",
			 "running") ",\"interfaces\":[{\"name\":\"adm0\",\"device\":\"a\",\"link\":\"up\"},"
				    "{\"name\":\"lower\",\"device\":\"b\",\"link\":\"up\",\"answers\":{" ANSWERS
				    "}}]}");
	says(&r, "status --all", 0, "answers for hosts of other sides",
	     "lower         20  10.30.0.10-10.30.0.19, 10.30.0.31, 10.30.0.33,\n", " 10.30.0.64/30 and 2 more\n");
	expect_not_in(strstr(r.out, "answers for"), "adm0");
	says(&r, "status --all --lang ja", ANY, "装置の MAC アドレスで応答", "、ほか 2 件");
	box_says(MSG_EFFECTIVE, 0,
		 "{" GENERATION("confirmed", "null") ",\"conduits\":[],\"cells\":[],\"permits\":[],\"assets\":[],"
						     "\"answers\":[{\"interface\":\"lower\"," ANSWERS "}]}");
	says(&r, "effective", 0, " 10.30.0.77, 2001:db8::9\n");
	/* If it answers for no host, nothing is said about it. */
	box_says(MSG_EFFECTIVE, 0, "{" GENERATION("confirmed", "null") ",\"conduits\":[],\"answers\":[]}");
	says(&r, "effective", ANY, "!answers for");
	box_says(MSG_EFFECTIVE, 0, "{" GENERATION("confirmed", "null") ",\"conduits\":[],\"answers\":null}");
	says(&r, "effective", ANY, "!answers for");
	box_close();
#undef ANSWERS
}

#define RECORD(number, state, rest)                                                                                    \
	"{\"number\":" number                                                                                          \
	",\"digest\":\"0123456789abcdef\",\"applied\":\"2026-11-20T08:10:11Z\",\"state\":\"" state                     \
	"\",\"by\":\"tanaka\"" rest "}"

/* What a rollback prints: the generation to which it goes back, the lines that change, and what
 * happens to sessions. */
static void test_rollback(struct run *r)
{
	box_says(MSG_SHOW, 0,
		 "{\"generation\":" RECORD(
			 "4", "confirmed",
			 ",\"why\":\"rollback\",\"changed\":\"2026-11-20T09:00:00Z\","
			 "\"changed_by\":\"sato\",\"other\":5,\"comment\":\"swap\"") ","
										     "\"sources\":[{\"name\":\"site."
										     "cfg\",\"text\":"
										     "\"one\\ntwo\\nthree\\n\"}],"
										     "\"before\":{\"number\":3,"
										     "\"sources\":[{\"name\":\"site."
										     "cfg\",\"text\":"
										     "\"one\\n2\\n\\u001b[2Jthree\\n\"}"
										     "]}}");
	run(r, "show 4");
	assert_int_equal(r->status, 0);
	assert_int_equal(box.last.show.number, 4);
	expect_in(r->out, "Generation 4 (confirmed), applied 2026-11-20 08:10:11 UTC by tanaka");
	expect_in(r->out, "comment: swap");
	expect_in(r->out, "rollback 2026-11-20 09:00:00 UTC by sato from 5");
	expect_in(r->out, "==== site.cfg\none\ntwo\nthree\n");
	expect_in(r->out, "difference to generation 3");
	expect_in(r->out, "- 2: 2\n");
	expect_in(r->out, "+ 2: two\n");
	assert_null(strchr(r->out, '\x1b'));
	says(r, "show 4 --json", ANY,
	     "\"difference\":[{\"file\":\"site.cfg\",\"line\":2,\"change\":\"removed\",\"text\":\"2\"}");
	box_says(MSG_CTL_CHANGE, 0,
		 "{\"done\":true," GENERATION("confirmed", "null") ",\"from\":5,\"target\":" RECORD(
			 "4", "confirmed", "") ","
					       "\"cut\":[],\"narrowed\":[{\"client\":\"10.10.0.5:40000\",\"server\":"
					       "\"10.30.1.10:502\",\"commands\":[{\"protocol\":\"modbus\",\"unit\":1,"
					       "\"function\":6,\"function_name\":\"write_single_register\",\"space\":"
					       "\"holding\",\"address\":400,\"quantity\":1,\"place\":\"400\","
					       "\"low\":0,\"high\":9,\"count\":37,\"reason\":\"modbus.value\"}],"
					       "\"forgotten\":2}],\"go_on\":14,\"unknown\":1}");
	says(r, "rollback --comment back", 0,
	     "From generation 5 to generation 4 (applied 2026-11-20 08:10:11 UTC by tanaka)",
	     "write_single_register, unit 1, holding 400, wrote 0 to 9", "go on as before: 14", "whose fate is unknown",
	     "not recorded one by one");
	says(r, "rollback --dry-run --to 4 --lang ja", ANY, "戻す場合は、世代 5 から世代 4", "書き込み値 0～9");
}

/* This text is in force. */
static void shows(const char *text)
{
	static char json[8000];
	size_t n = (size_t)snprintf(json, sizeof(json), "{\"sources\":[{\"name\":\"site.cfg\",\"text\":\"");

	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\n')
			json[n++] = '\\';
		json[n++] = *text == '\n' ? 'n' : *text;
	}
	snprintf(json + n, sizeof(json) - n, "\"}]}");
	box_says(MSG_SHOW, 0, json);
}

static void test_apply(void **state)
{
	static struct run r;
	char text[2000], path[100], line[300];

	(void)state;
	snprintf(text, sizeof(text), HEAD, "read");
	policy(path, sizeof(path), text);
	box_open();
	box_says(MSG_CTL_CHANGE, 0,
		 "{\"done\":true," GENERATION(
			 "waiting", "\"2026-11-20T08:20:00Z\"") ",\"cut\":[{\"client\":\"10.10.0.5:40000\","
								"\"server\":\"10.30.1.10:502\",\"transport\":\"tcp\","
								"\"conduit\":\"old\",\"reason\":\"ended\"}],"
								"\"diagnostics\":[],\"error\":null}");
	snprintf(line, sizeof(line), "apply %s --confirm 600", path);
	run(&r, line);
	assert_int_equal(r.status, 0);
	assert_int_equal(box.last.ctl_change.flags, 0);
	assert_int_equal(box.last.ctl_change.confirm_s, 600);
	assert_true(box.bundle_bytes > strlen(text)); /* the text as it was read from the file */
	expect_in(r.out, "Live sessions cut: 1");
	expect_in(r.out, "  10.10.0.5:40000 -> 10.30.1.10:502 tcp  [old]  the session's permission");
	expect_in(r.out, "generation 4 (waiting for confirm)");
	expect_in(r.out, "On trial until 2026-11-20 08:20:00 UTC");
	expect_in(r.out, "Keep it with: sekisho confirm --to 4");
	snprintf(line, sizeof(line), "apply %s --dry-run", path);
	run(&r, line);
	assert_int_equal(box.last.ctl_change.flags, APPLY_DRY_RUN);
	assert_int_equal(box.last.ctl_change.confirm_s, 0);
	expect_in(r.out, "would be cut: 1");
	expect_in(r.out, "Nothing was changed");
	/* nothing is in force: there is nothing to compare */
	expect_not_in(r.out, "same meaning");
#define MEANT(all)                                                                                                     \
	"{\"done\":true," GENERATION("confirmed", "null") ",\"cut\":[],\"meaning\":[" all "],\"more_meaning\":0}"
	box_says(MSG_CTL_CHANGE, 0, MEANT(""));
	says(&r, line, 0, "same meaning: the same packets and commands pass");
	box_says(MSG_CTL_CHANGE, 0,
		 MEANT("{\"kind\":\"commands\",\"comes\":true,\"what\":\"modbus "
		       "write_single_register\",\"from\":\"tos\","
		       "\"to\":\"crane\",\"conduit\":\"c\",\"file\":\"site.cfg\",\"line\":12,\"of\":\"after\","
		       "\"places\":[]}"));
	says(&r, line, 0, "commands now possible: tos -> crane, modbus write_single_register (conduit c,",
	     "site.cfg:12)");
	snprintf(text, sizeof(text), HEAD, "write");
	shows(text);
	snprintf(line, sizeof(line), "diff box %s", path);
	says(&r, line, 1, "commands now possible: ");
	assert_int_equal(box.last.show.number, 0);
	snprintf(line, sizeof(line), "diff box:12 %s", path);
	says(&r, line, 1, "commands now possible: ");
	assert_int_equal(box.last.show.number, 12);
	box_says(MSG_SHOW, 3, "{\"error\":\"none\"}");
	snprintf(line, sizeof(line), "apply %s --dry-run", path);
	run(&r, line);
	expect_not_in(r.out, "the management");
	/* Sessions with the box itself are in no list, so their persons are named. */
#define SHUT_OUT(others)                                                                                               \
	"{\"done\":true," GENERATION("confirmed", "null") ",\"cut\":[],\"shut_out\":{\"terminals\":["                  \
							  "\"10.99.0.20\",\"2001:db8::20\"],\"others\":" others "}}"
	box_says(MSG_CTL_CHANGE, 0, SHUT_OUT("false"));
	says(&r, line, 0,
	     "Terminals that would no longer reach the management, and whose sessions with it would end: "
	     "2\n  10.99.0.20\n  2001:db8::20\n",
	     "!Only terminals");
	strcat(line, " --lang ja");
	says(&r, line, ANY,
	     "適用すると管理機能に接続できなくなる管理端末（接続中のセッションも途切れます）: 2 台\n  "
	     "10.99.0.20\n");
	snprintf(line, sizeof(line), "apply %s", path);
	says(&r, line, ANY, "Terminals that no longer reach the management, and whose sessions with it end: 2\n");
	box_says(MSG_CTL_CHANGE, 0, SHUT_OUT("true"));
	says(&r, line, ANY, "Only terminals of box.cfg still reach the management");
	snprintf(line, sizeof(line), "apply %s --dry-run", path);
	says(&r, line, ANY, "Only terminals of box.cfg would still reach the management",
	     "!Addresses of the management");
	box_says(MSG_CTL_CHANGE, 0, SHUT_OUT("true,\"addresses\":[\"10.99.0.1\"],\"nobody\":true"));
	run(&r, line);
	expect_in(r.out, "Addresses of the management that would be removed, with the sessions there: 1\n  10.99.0.1\n"
			 "Nobody would reach the management any more: box.cfg gives it no address.\n");
	expect_not_in(r.out, "Only terminals");
	strcat(line, " --lang ja");
	says(&r, line, ANY,
	     "適用するとなくなる管理機能のアドレス（そこへの接続中のセッションも途切れます）: 1 件\n  "
	     "10.99.0.1\n適用すると、"
	     "box.cfg に管理機能のアドレスがないため、どのホストからも管理機能に接続できなくなります。\n");
	snprintf(line, sizeof(line), "apply %s", path);
#undef SHUT_OUT
	box_says(MSG_CTL_CHANGE, 1,
		 "{\"done\":false,\"cut\":[],\"diagnostics\":[{\"severity\":\"error\",\"code\":\"x\","
		 "\"file\":\"site.cfg\",\"line\":3,\"column\":5,\"message\":\"the kernel refuses "
		 "this\",\"hint\":null}],\"error\":null}");
	run(&r, line);
	assert_int_equal(r.status, 1);
	expect_in(r.err, "site.cfg:3:5: error: the kernel refuses this");
	box_says(MSG_CTL_CHANGE, 3, "{\"done\":false,\"error\":\"another apply is running\"}");
	run(&r, line);
	assert_int_equal(r.status, 3);
	expect_in(r.err, "another apply is running");
	/* An invalid policy is never sent to the box. */
	box.asked[MSG_CTL_CHANGE] = 0;
	policy(path, sizeof(path), "language_version = 1;\nzonez = {};\n");
	run(&r, line);
	assert_int_equal(r.status, 2);
	assert_int_equal(box.asked[MSG_CTL_CHANGE], 0);
	box_says(MSG_CTL_CHANGE, 0, "{\"done\":true," GENERATION("confirmed", "null") "}");
	run(&r, "confirm --to 4");
	assert_int_equal(r.status, 0);
	assert_int_equal(box.last.ctl_change.to, 4);
	run(&r, "confirm --to 0");
	assert_int_equal(r.status, 2);
	run(&r, "confirm");
	assert_int_equal(r.status, 0);
	assert_int_equal(box.last.ctl_change.to, 0);
	expect_in(r.out, "Confirmed: generation 4");
	test_rollback(&r);
	box_says(MSG_CTL_CHANGE, 1,
		 "{\"done\":false,\"error\":{\"en\":\"there is none before\",\"ja\":\"前の世代がありません\"}}");
	run(&r, "rollback --lang ja");
	assert_int_equal(r.status, 1);
	expect_in(r.err, "前の世代がありません");
	box_close();
	unlink(path);
}

#define EVENT(seq, more)                                                                                               \
	"{\"seq\":" seq ",\"time\":\"2026-11-20T08:10:11.123Z\",\"kind\":\"pdu\",\"verdict\":\"deny\","                \
	"\"reason\":\"modbus.function\",\"conduit\":\"tos-reads-cranes\",\"file\":\"site.cfg\",\"line\":17,"           \
	"\"client\":\"[2001:db8::5]:40000\",\"server\":\"10.30.1.10:502\",\"transport\":\"tcp\",\"direction\":"        \
	"\"c2s\","                                                                                                     \
	"\"protocol\":\"modbus\",\"unit\":1,\"function\":6,\"function_name\":\"write_single_register\",\"space\":"     \
	"\"holding\","                                                                                                 \
	"\"address\":400,\"quantity\":2,\"place\":\"400-401\"" more "}"

static void test_events(void **state)
{
	static struct run r;
	char *second;

	(void)state;
	box_open();
	box_says(MSG_STATUS, 0, STATUS("confirmed", "null", "running", "running"));
	box_says(MSG_EVENTS, 0, "{\"events\":[" EVENT("16", "") "," EVENT("17", ",\"count\":3") "],\"next\":17}");
	run(&r, "events --limit 2");
	assert_int_equal(r.status, 0);
	assert_int_equal(box.last.events.after, 15); /* the last two of 17 */
	assert_int_equal(box.last.events.most, 2);
	expect_in(
		r.out,
		"2026-11-20 08:10:11 UTC      16  pdu      REFUSED   [2001:db8::5]:40000 -> 10.30.1.10:502 tcp modbus "
		"write_single_register unit 1 holding 400-401  function code not allowed  [tos-reads-cranes "
		"site.cfg:17]\n");
	expect_in(r.out, "  x3\n");
	/* Japanese columns are aligned: a full-width character has two cells. */
	says(&r, "events --limit 2 --lang ja", ANY,
	     "      16  コマンド    拒否      [2001:db8::5]:40000 -> 10.30.1.10:502 tcp modbus "
	     "write_single_register ユニット 1 holding 400-401  許可されていないファンクションコード");
	box_says(MSG_EVENTS, 0,
		 "{\"events\":[{\"seq\":18,\"time\":\"2026-11-20T08:10:11Z\",\"kind\":\"policy\",\"code\":\"reverted\","
		 "\"value\":3},{\"seq\":19,\"time\":\"2026-11-20T08:10:11Z\",\"kind\":\"drop\",\"verdict\":\"deny\","
		 "\"client\":\"10.1.1.1:0\",\"server\":\"10.2.2.2:0\",\"transport\":\"253\"}],\"next\":19}");
	says(&r, "events --after 17 --limit 2", ANY, "18  policy   went back (generation 3)\n",
	     "10.1.1.1 -> 10.2.2.2 IP protocol 253\n");
	says(&r, "events --after 17 --limit 2 --lang ja", ANY, "18  ポリシー    復帰（世代 3）\n");
	box_says(MSG_EVENTS, 0, "{\"events\":[" EVENT("16", "") "," EVENT("17", ",\"count\":3") "],\"next\":17}");
	run(&r, "events --after 15 --limit 2 --json");
	second = strchr(r.out, '\n');
	assert_non_null(second);
	assert_int_equal(r.out[0], '{');
	assert_int_equal(second[1], '{'); /* one object a line */
	/* Following polls until a signal ends it. */
	box_says(MSG_EVENTS, 0, "{\"events\":[],\"next\":17}");
	box.asked[MSG_EVENTS] = 0;
	box.enough = 3;
	run(&r, "events --follow --after 17");
	box.enough = 0;
	assert_int_equal(r.status, 1000 + SIGALRM);
	assert_true(box.asked[MSG_EVENTS] >= 3);
	box_says(MSG_EXPLAIN, 0, "{\"event\":" EVENT("16", "") "}");
	run(&r, "explain 16");
	assert_int_equal(r.status, 0);
	assert_string_equal(r.out,
			    "At 2026-11-20 08:10:11 UTC, modbus write_single_register unit 1 holding 400-401 from "
			    "[2001:db8::5]:40000 to 10.30.1.10:502 was refused: function code not allowed; by conduit "
			    "tos-reads-cranes (site.cfg:17).\n");
	says(&r, "explain 16 --lang ja", ANY, "拒否されました（理由: 許可されていないファンクションコード）。");
	/* The contents of an answer come from its sender, and are no commands to the client. */
	box_says(MSG_EXPLAIN, 0,
		 "{\"event\":{\"seq\":20,\"time\":\"2026-11-20T08:10:11Z\",\"kind\":\"pdu\",\"verdict\":\"deny\","
		 "\"reason\":\"modbus.response\",\"client\":\"10.1.1.1:40000\",\"server\":\"10.2.2.2:502\","
		 "\"transport\":\"tcp\",\"direction\":\"s2c\",\"protocol\":\"modbus\"}}");
	says(&r, "explain 20", ANY, "the response of 10.2.2.2:502 to 10.1.1.1:40000 (modbus) was refused: response");
	/* A record about the box itself is a sentence as well. */
	box_says(MSG_EXPLAIN, 0,
		 "{\"event\":{\"seq\":21,\"time\":\"2026-11-20T08:10:11Z\",\"kind\":\"role\",\"role\":\"dpi\","
		 "\"index\":1,\"code\":\"died\",\"count\":1}}");
	run(&r, "explain 21");
	assert_string_equal(r.out, "At 2026-11-20 08:10:11 UTC, process dpi/1 died.\n");
	run(&r, "explain 21 --lang ja");
	assert_string_equal(r.out, "2026-11-20 08:10:11 UTC、dpi/1 プロセスが異常終了しました。\n");
	box_says(MSG_EXPLAIN, 0,
		 "{\"event\":{\"seq\":22,\"time\":\"2026-11-20T08:10:11Z\",\"kind\":\"decided\",\"verdict\":\"allow\","
		 "\"reason\":\"unanswered.held\",\"role\":\"gate\",\"value\":41,\"count\":2}}");
	run(&r, "explain 22 --lang ja");
	assert_string_equal(
		r.out,
		"2026-11-20 08:10:11 UTC、検査部が応答しなかったため、2 "
		"個のパケットを検査なしで判定しました"
		"（検査部が応答せず、コンジットの指定により、接続済みセッションのパケットを通過（hold））（判定: gate "
		"プロセス）。\n");
	box_says(MSG_EXPLAIN, 0,
		 "{\"event\":{\"seq\":23,\"time\":\"2026-11-20T08:10:11Z\",\"kind\":\"lost\",\"role\":\"journal\","
		 "\"code\":\"missing\",\"count\":1}}");
	says(&r, "explain 23 --lang ja", ANY,
	     "ディスクに書き込み済みだった記録 1 件が失われていることがわかりました。");
	box_says(MSG_CHECKPOINT, 0,
		 "{\"seq\":18,\"checkpoint\":{\"text\":\"what is signed\",\"signature\":\"00\"},\"key\":\"a key\\n\"}");
	run(&r, "journal checkpoint");
	assert_int_equal(r.status, 0);
	assert_string_equal(r.out, "SIGNED: record 18\nwhat is signed\na key\n");
	says(&r, "journal checkpoint --lang ja", ANY, "署名済み: 記録 18");
	box_says(MSG_CHECKPOINT, 3, "{\"error\":\"no folder for the signing key\"}");
	run(&r, "journal checkpoint");
	assert_int_equal(r.status, 3);
	run(&r, "journal verify /tmp --head /dev/null");
	assert_int_equal(r.status, 2);
	expect_in(r.err, "--head needs --key");
	run(&r, "journal verify /tmp --key /dev/null");
	assert_int_equal(r.status, 2);
	box_says(MSG_EXPLAIN, 1, "{\"event\":null}");
	run(&r, "explain 99");
	assert_int_equal(r.status, 1);
	expect_in(r.err, "no event 99");
	box_close();
}

/* With a mistyped name no record matches. People are told so; nothing else changes. */
static void test_events_of_nothing(void **state)
{
	static const struct {
		const char *line, *note; /* "" = none */
	} cases[] = {
		{ "events --conduit nosuch", "the policy in force has no 'nosuch'\n" },
		{ "events --conduit nosuch --json", "the policy in force has no 'nosuch'\n" },
		{ "events --zone nosuch", "the policy in force has no 'nosuch'\n" },
		{ "events --asset nosuch --conduit reads", "the policy in force has no 'nosuch'\n" },
		{ "events --zone nosuch --lang ja", "有効なポリシーにも「nosuch」はありません\n" },
		{ "events --conduit reads --zone crane --asset rtg01", "" },
		{ "events --zone lonely", "" },
		{ "events --verdict deny --host 10.9.9.9", "" },
		{ "events --conduit nosuch --after 3", "" },
	};
	static struct run r;

	(void)state;
	box_open();
	box_says(MSG_EVENTS, 0, "{\"events\":[],\"next\":0}");
	box_says(MSG_EFFECTIVE, 0,
		 "{\"conduits\":[{\"name\":\"reads\",\"from\":\"tos\",\"to\":\"crane\"}],\"assets\":[{\"name\":"
		 "\"rtg01\","
		 "\"zone\":\"crane\",\"addresses\":[\"10.30.1.10\"]}]}");
	box_says(MSG_STATUS, 0, "{\"interfaces\":[{\"name\":\"lan9\",\"zones\":[{\"name\":\"lonely\"}]}]}");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		run(&r, cases[i].line);
		assert_int_equal(r.status, 0);
		assert_string_equal(r.out, "");
		expect_in(r.err, cases[i].note);
		assert_int_equal(r.err[0] != '\0', cases[i].note[0] != '\0');
	}
	/* Records of an earlier policy contain names that no longer exist: nothing is reported
	 * about these. */
	box_says(MSG_EVENTS, 0, "{\"events\":[" EVENT("16", "") "],\"next\":16}");
	run(&r, "events --conduit tos-reads-cranes --json");
	assert_int_equal(r.status, 0);
	assert_string_equal(r.err, "");
	box_close();
}

/* Missing values are left out: no digest, no site. A word for --host that is no address is
 * refused. */
static void test_effective_without(void **state)
{
	static struct run r;

	(void)state;
	box_open();
	box_says(MSG_EFFECTIVE, 0,
		 "{\"generation\":{\"digest\":\"0123456789abcdef\"},\"tables_digest\":null,\"tables\":[],\"conduits\":["
		 "],"
		 "\"host\":\"vm\",\"site\":{\"name\":\"\",\"label\":\"\"},\"time\":\"2026-11-20T08:10:11Z\"}");
	says(&r, "effective", 0, "  site        -, host vm\n", "!table");
	says(&r, "effective --lang ja", ANY, "  拠点        -（ホスト vm）\n", "!コマンド表");
	box_says(MSG_EFFECTIVE, 0,
		 "{\"tables_digest\":null,\"tables\":[{\"index\":0},{\"index\":1}],\"conduits\":[],\"assets\":[]}");
	says(&r, "effective", ANY, "  commands    the workers have different command tables\n");
	run(&r, "effective --host bad");
	assert_int_equal(r.status, 2);
	expect_in(r.err, "--host takes an address or a network such as 10.30.1.10 or 10.30.0.0/22, not 'bad'");
	run(&r, "effective --host 10.30.1.0/24");
	assert_int_equal(r.status, 0);
	run(&r, "effective --asset bad");
	assert_int_equal(r.status, 2);
	expect_in(r.err, "the policy in force has no 'bad'");
	box_close();
}

static void test_effective(void **state)
{
	static const char json[] =
		"{\"generation\":{\"digest\":\"0123456789abcdef\"},\"tables_digest\":\"fedcba9876543210\","
		"\"cells\":[{\"set\":\"exact4\",\"in\":\"lan1\",\"out\":\"lan2\",\"source\":\"10.20.0.10\","
		"\"destination\":\"10.30.1.10\","
		"\"protocol\":\"tcp\",\"ports\":\"502\",\"permit\":1,\"lane\":\"commands/cargo/closed/closed\","
		"\"conduits\":[\"tos-reads-cranes\"],\"until\":null,\"packets\":3},"
		"{\"set\":\"exact4\",\"in\":\"lan9\",\"out\":\"lan2\",\"conduits\":[],\"packets\":1}],"
		"\"permits\":[{\"permit\":1,\"grants\":[{\"conduit\":\"tos-reads-cranes\",\"protocol\":\"modbus\","
		"\"whole\":false,"
		"\"rows\":[{\"file\":\"site.cfg\",\"line\":14,\"functions\":[3,4],\"units\":\"1\",\"coils\":\"\","
		"\"holding\":\"0-99\","
		"\"values\":\"any\"}]}]},"
		"{\"permit\":2,\"grants\":[{\"conduit\":\"tos-reads-cranes\",\"protocol\":\"modbus\",\"whole\":false,"
		"\"rows\":[{\"file\":\"site.cfg\",\"line\":14,\"functions\":[3,4],\"units\":\"1\",\"coils\":\"\","
		"\"holding\":\"0-99\","
		"\"values\":\"any\"}]}]}],"
		"\"conduits\":[{\"name\":\"tos-reads-cranes\",\"label\":\"位置\",\"from\":\"tos\",\"to\":\"crane\","
		"\"file\":\"site.cfg\","
		"\"line\":17,\"mode\":\"enforce\",\"purpose\":\"work queue\",\"owner\":\"TS\",\"approved_by\":\"CISO\","
		"\"review_by\":\"2001-01-01\",\"until\":null,\"accept\":[{\"warning\":\"policy.all_commands_to_ot\","
		"\"reason\":\"保守は SSH のみ\"}]},{\"name\":\"idle\",\"from\":\"a\",\"to\":\"b\",\"file\":"
		"\"site.cfg\","
		"\"line\":20,\"mode\":\"observe\",\"review_by\":\"2099-01-01\"}]}";
	static struct run r;
	const char *commands;

	(void)state;
	box_open();
	box_says(MSG_EFFECTIVE, 0, json);
	says(&r, "effective", 0, "tos-reads-cranes  tos -> crane  (enforce)  site.cfg:17", "2001-01-01  OVERDUE",
	     "  accepts     policy.all_commands_to_ot: 保守は SSH のみ\n",
	     "    lan1 -> lan2  tcp/502  lane commands/cargo/closed/closed\n"
	     "      PACKETS  PERMIT  SOURCE -> DESTINATION\n"
	     "            3       1  10.20.0.10 -> 10.30.1.10\n",
	     "the kernel has no entry for this conduit", "ENTRIES OF THE KERNEL WITHOUT A CONDUIT");
	commands = strstr(r.out, "read_holding_registers (3), read_input_registers (4); holding 0-99,\n"
				 "            no other address; units 1 (site.cfg line 14)");
	assert_non_null(commands);
	/* stated once, although it is in two permits */
	expect_not_in(commands + 1, "read_holding_registers (3)");
	run(&r, "effective --to json");
	assert_memory_equal(r.out, "{\"generation\"", 13);
	says(&r, "effective --lang ja", ANY, "見直し期限  2001-01-01  超過",
	     "  受け入れ    policy.all_commands_to_ot: 保守は SSH のみ\n", "ユニット 1");
	box_close();
}

/* A row without functions is described in two words, not in 127. */
static void test_effective_any_function(void **state)
{
	static struct run r;
	char json[1024];
	size_t n;

	(void)state;
	n = (size_t)snprintf(json, sizeof(json),
			     "{\"cells\":[{\"conduits\":[\"all\"]}],\"conduits\":[{\"name\":\"all\"}],\"permits\":[{"
			     "\"permit\":1,\"grants\":[{"
			     "\"conduit\":\"all\",\"protocol\":\"modbus\",\"rows\":[{\"file\":\"site.cfg\",\"line\":9,"
			     "\"units\":\"any\","
			     "\"functions\":[1");
	for (unsigned f = 2; f < 128; f++)
		n += (size_t)snprintf(json + n, sizeof(json) - n, ",%u", f);
	snprintf(json + n, sizeof(json) - n, "]}]}]}]}");
	box_open();
	box_says(MSG_EFFECTIVE, 0, json);
	says(&r, "effective", ANY, "modbus  any function", "units any");
	says(&r, "effective --lang ja", ANY, "modbus  全ファンクション");
	box_close();
}

static void test_other_answers(void **state)
{
	static struct run r;

	(void)state;
	box_open();
	box_says(MSG_VERIFY, 0,
		 "{\"equal\":true,\"differences\":[],\"workers\":[{\"index\":0,\"digest\":\"0123456789abcdef\","
		 "\"equal\":true}]}");
	says(&r, "verify", 0, "EQUAL");
	box_says(MSG_VERIFY, 1,
		 "{\"equal\":false,\"differences\":[{\"where\":\"set exact4\",\"what\":\"extra\","
		 "\"detail\":\"10.1.1.1\",\"line\":0}],\"workers\":[]}");
	says(&r, "verify", 1, "DIFFERENT", "set exact4");
	says(&r, "verify --lang ja", ANY, "余分");
	box_says(MSG_HISTORY, 0,
		 "{\"history\":[{\"number\":4,\"digest\":\"0123456789abcdef\",\"applied\":"
		 "\"2026-11-20T08:10:11Z\",\"state\":\"confirmed\",\"by\":\"root\"}]}");
	says(&r, "history", 0, "4 (confirmed)  2026-11-20 08:10:11 UTC  root  0123456789ab");
	box_says(MSG_HISTORY, 0, "{\"history\":[]}");
	says(&r, "history", ANY, "No policy was ever applied");
	/* Answers that are none. */
	box_says(MSG_HISTORY, 0, "[1]");
	run(&r, "history");
	assert_int_equal(r.status, 3);
	box_says(MSG_HISTORY, 0, "{\"history\":");
	run(&r, "history");
	assert_int_equal(r.status, 3);
	box_says(MSG_HISTORY, 9, "{}");
	run(&r, "history");
	assert_int_equal(r.status, 3);
	box_says(MSG_HISTORY, 0, NULL);
	run(&r, "history");
	assert_int_equal(r.status, 3);
	expect_in(r.err, "without an answer");
	/* Answers with values of wrong types are printed, but not believed. */
	box_says(MSG_STATUS, 0,
		 "{\"roles\":7,\"workers\":[3,null],\"kernel\":[],\"generation\":\"x\",\"drift\":{\"seen\":-4}}");
	box_says(MSG_EFFECTIVE, 0,
		 "{\"cells\":[1,{\"conduits\":[null]}],\"permits\":[{\"grants\":[[]]}],\"conduits\":[{},0]}");
	box_says(MSG_EVENTS, 0, "{\"events\":[5,{\"seq\":\"x\"}],\"next\":null}");
	run(&r, "status");
	assert_int_equal(r.status, 1);
	run(&r, "effective");
	assert_int_equal(r.status, 0);
	run(&r, "events --after 0 --limit 1");
	assert_int_equal(r.status, 0);
	box_close();
}

/* A box that refuses is no box without doors, also for programs. */
static void test_refused_doors(void **state)
{
	static struct run r;

	(void)state;
	box_open();
	box_says(MSG_STATUS, 0, "{\"doors\":[{\"name\":\"vendor\",\"open\":true}]}");
	says(&r, "doors --json", 1, "{\"doors\":[{\"name\":\"vendor\"");
	box_says(MSG_STATUS, 0, "{\"doors\":[]}");
	says(&r, "doors --json", 0, "{\"doors\":[]}");
	box_says(MSG_STATUS, 3, "{\"error\":{\"en\":\"no right\",\"ja\":\"権限なし\"}}");
	says(&r, "doors --json", 3, "no right", "!\"doors\"");
	run(&r, "doors");
	assert_int_equal(r.status, 3);
	expect_in(r.err, "no right");
	box_close();
}

static int removed(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

/* Evidence without root: records that the box does not hand out are no missing records. */
static void test_refused_records(void **state)
{
	static struct run r;
	char line[192], out[96];

	(void)state;
	snprintf(out, sizeof(out), "%s/evidence", folder);
	snprintf(line, sizeof(line), "preserve --json --within 5 --out %s", out);
	assert_int_equal(mkdir(out, 0700), 0);
	assert_int_equal(chmod(folder, 0711), 0);
	as = 65534;
	assert_true(geteuid() != 0 || chown(out, as, as) == 0);
	box_open();
	assert_int_equal(chmod(socket_path, 0666), 0);
	box_says(MSG_CHECKPOINT, 0, "{}");
	box_says(MSG_COPY, 0, "{\"segments\":[],\"next\":1}");
	says(&r, line, 1, "{\"file\":\"journal\",\"en\":\"there are no records in it\"");
	/* the folder is named by the second: the second one may have the name of the first */
	assert_int_equal(nftw(out, removed, 8, FTW_DEPTH | FTW_PHYS), 0);
	assert_true(mkdir(out, 0700) == 0 && (geteuid() != 0 || chown(out, as, as) == 0));
	box_says(MSG_COPY, 3, "{\"error\":\"no\"}");
	says(&r, line, 1, "{\"file\":\"journal\",\"en\":\"it cannot be read", "!there are no records");
	box_close();
	as = 0;
	assert_int_equal(nftw(out, removed, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* A check may mention that a box waits for its clock. If the box does not answer, nothing is said,
 * because nothing failed. */
static void test_check_beside_a_box(void **state)
{
	static const char *const answers[] = { NULL, "[1]", "{\"clock\":{\"trusted\":true}}" };
	static struct run r;
	char text[2000], path[100], line[300], *at;
	const char *review = "review_by";

	(void)state;
	snprintf(text, sizeof(text), HEAD, "read");
	at = strstr(text, review);
	assert_non_null(at);
	memmove(at + 32, at, strlen(at) + 1);
	memcpy(at, "until = \"2098-01-01T00:00:00Z\"; ", 32);
	policy(path, sizeof(path), text);
	snprintf(line, sizeof(line), "check %s", path);
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		box_open();
		box_says(MSG_STATUS, 0, answers[i]);
		run(&r, line);
		assert_int_equal(r.status, 0);
		assert_true(box.asked[MSG_STATUS] > 0);
		assert_string_equal(r.err, "");
		box_close();
	}
	assert_int_equal(unlink(path), 0);
}

static int setup(void **state)
{
	(void)state;
	return access(program, X_OK) == 0 && mkdtemp(folder) != NULL &&
			       snprintf(socket_path, sizeof(socket_path), "%s/control.sock", folder) > 0
		       ? 0
		       : -1;
}

static int teardown(void **state)
{
	(void)state;
	return rmdir(folder);
}

/* The effective rules, with labels that a spreadsheet would take for formulas; `more` as of another
 * time. */
#define STANDS(more)                                                                                                    \
	"{\"generation\":{\"number\":4,\"digest\":\"0123456789abcdef\"},\"time\":\"2026-11-20T08:10:11.000Z\"," more    \
	"\"site\":{\"name\":\"kita\",\"label\":\"\"},"                                                                  \
	"\"zones\":[{\"name\":\"tos\",\"label\":\"TOS\",\"class\":\"operations\"},"                                     \
	"{\"name\":\"crane\",\"label\":\"\",\"class\":\"ot\",\"owner\":\"設備課\"},"                                 \
	"{\"name\":\"office\",\"label\":\"事務所\",\"class\":\"it\"},"                                               \
	"{\"name\":\"vendor\",\"label\":\"保守\",\"class\":\"external\",\"owner\":\"契約課\","                     \
	"\"lines\":[{\"carrier\":\"NTT\",\"service\":\"VPN, 100M\",\"place\":\"-1F\"},"                                 \
	"{\"carrier\":\"@KDDI\",\"service\":\"LTE\",\"place\":\"屋上\"}]}],"                                          \
	"\"assets\":[{\"name\":\"rtg01\",\"label\":\"=1+1,\\\"x\\\"\\n\\u001b2\",\"model\":\"+FX5U\",\"place\":\"E室," \
	" 2\","                                                                                                         \
	"\"support_until\":\"2020-03-31\",\"zone\":\"crane\",\"addresses\":[\"10.30.1.10-10.30.1.12\"]},"               \
	"{\"name\":\"rtg02\",\"label\":\"\",\"model\":\"\",\"place\":\"\",\"support_until\":\"\",\"zone\":\"crane\","   \
	"\"addresses\":[\"10.30.1.20\"]}],"                                                                             \
	"\"organisations\":[{\"name\":\"nagoya\",\"label\":\"名古屋電機\",\"zone\":\"vendor\","                    \
	"\"contract_until\":\"2027-03-31T15:00:00.000Z\",\"contacts\":[{\"contact\":\"052-000\"}]}],"                   \
	"\"conduits\":[{\"name\":\"reads\",\"label\":\"読み取り\",\"from\":\"tos\",\"to\":\"crane\",\"mode\":"      \
	"\"enforce\","                                                                                                  \
	"\"open\":true,\"purpose\":\"positions\"},"                                                                     \
	"{\"name\":\"mends\",\"from\":\"vendor\",\"to\":\"crane\",\"mode\":\"enforce\",\"door\":\"nagoya\",\"open\":"   \
	"null},"                                                                                                        \
	"{\"name\":\"mends2\",\"from\":\"vendor\",\"to\":\"crane\",\"mode\":\"enforce\",\"door\":\"nagoya\",\"open\":"  \
	"null},"                                                                                                        \
	"{\"name\":\"looks\",\"from\":\"office\",\"to\":\"vendor\",\"mode\":\"observe\",\"open\":true}],"               \
	"\"permits\":[{\"grants\":[{\"conduit\":\"reads\",\"protocol\":\"modbus\",\"rows\":[{\"functions\":[3]}]},"     \
	"{\"conduit\":\"mends\",\"protocol\":\"modbus\",\"rows\":[{\"functions\":[6]}]}]},"                             \
	"{\"grants\":[{\"conduit\":\"reads\",\"protocol\":\"modbus\",\"rows\":[{\"functions\":[4]}]},"                  \
	"{\"conduit\":\"mends2\",\"protocol\":\"ssh\",\"whole\":true},"                                                 \
	"{\"conduit\":\"looks\",\"protocol\":\"modbus\",\"rows\":[{\"functions\":[3]}]}]}]}"
#define HEARD(first, last)                                                                                             \
	"{\"devices\":[{\"number\":1,\"addresses\":[\"10.30.1.11\"],\"first\":\"" first "\",\"last\":\"" last          \
	"\"},{\"number\":2,\"addresses\":[\"10.9.9.9\"],\"first\":\"2020-01-01T00:00:00.000Z\",\"last\":"              \
	"\"2026-11-20T08:00:00.000Z\"}]}"
#define THEN "\"as_it_was\":{\"since\":\"2026-11-01T00:00:00.000Z\",\"until\":\"2026-11-21T00:00:00.000Z\"},"

/* A spreadsheet opens the file with Japanese text, one row in each line, and computes nothing. */
static void test_registers(void **state)
{
	static struct run r;

	(void)state;
	box_open();
	box_says(MSG_EFFECTIVE, 0, STANDS(""));
	box_says(MSG_DEVICES, 0, HEARD("2026-11-01T00:00:00.000Z", "2026-11-20T08:09:00.000Z"));
	run(&r, "register assets --to csv");
	assert_int_equal(r.status, 0);
	assert_int_equal(box.last.devices.order, DEVICES_LIST);
	assert_string_equal(r.out, "\xef\xbb\xbf\"NAME\",\"LABEL\",\"ZONE\",\"OWNER\",\"MODEL\",\"PLACE\",\"SUPPORT "
				   "UNTIL\",\"LAST SEEN\",\"ADDRESSES\"\r\n"
				   "\"rtg01\",\"'=1+1,\"\"x\"\"??2\",\"crane\",\"設備課\",\"'+FX5U\",\"E室, "
				   "2\",\"2020-03-31\",\"2026-11-20 08:09:00 UTC\",\"10.30.1.10-10.30.1.12\"\r\n"
				   "\"rtg02\",\"\",\"crane\",\"設備課\",\"\",\"\",\"\",\"\",\"10.30.1.20\"\r\n");
	says(&r, "register assets --to csv --lang ja", 0, "\xef\xbb\xbf\"", "\"型式\",\"設置場所\",\"サポート期限\"");
	says(&r, "register connections --to csv", 0,
	     "\"vendor\",\"保守\",\"契約課\",\"名古屋電機\",\"2027-03-31 15:00:00 UTC\",\"052-000\",\"NTT\",\"VPN, "
	     "100M\",\"'-1F\",\"mends mends2 looks\",\"nagoya\"\r\n",
	     "\"'@KDDI\",\"LTE\",\"屋上\"", "!tos");
	says(&r, "register flows --to csv", 0,
	     "\"reads\",\"読み取り\",\"tos\",\"crane\",\"OT\",\"modbus: read\",\"to FROM\",\"enforce\",\"\",\"\","
	     "\"positions\"\r\n",
	     "\"mends\",\"\",\"vendor\",\"crane\",\"IT and OT\",\"modbus: write\",\"to "
	     "TO\",\"enforce\",\"\",\"nagoya\"",
	     "\"ssh: contents are not read\",\"both ways\"",
	     "\"looks\",\"\",\"office\",\"vendor\",\"IT\",\"modbus: all: only observed\",\"both ways\",\"observe\"");
	says(&r, "register flows-it --to json", 0,
	     "\"carries\":[{\"protocol\":\"modbus\",\"commands\":null}],\"data\":\"both\"");
	says(&r, "register flows-it --to csv --lang ja", 0, "\"mends\"", "\"looks\"", "!reads", "\"IT と OT\"",
	     "modbus: 書き込み");
	says(&r, "register flows-ot --to csv", 0, "\"mends\"", "\"reads\"", "!looks");
	says(&r, "register flows-ot --to json", 0, "\"register\":\"flows-ot\"",
	     "\"carries\":[{\"protocol\":\"modbus\",\"commands\":[\"read\"]}]", "\"data\":\"to_source\"", "!as_it_was");
	says(&r, "register flows-it --to svg --lang ja", 0, "<svg", "データフロー図（IT）", "</svg>\n");
	says(&r, "register assets --to svg", 2, "!<svg");
	says(&r, "register due --at 2026-11-20", 2, "!due");
	says(&r, "register assets --at yesterday", 2, "!rtg01");
	says(&r, "register flows", 0, "modbus: read");
	assert_int_equal(box.last.effective.at, 0);
	box_close();
}

/* The column "last seen" only has what the list of devices says about that time. */
static void test_registers_of_then(void **state)
{
	static struct run r;

	(void)state;
	box_open();
	box_says(MSG_EFFECTIVE, 0, STANDS(THEN));
	box_says(MSG_DEVICES, 0, HEARD("2026-11-01T00:00:00.000Z", "2026-11-20T08:09:00.000Z"));
	says(&r, "register assets --at 2026-11-20T08:10:11+00:00", 0,
	     "as it was at 2026-11-20 08:10:11 UTC: generation 4, in force from 2026-11-01\n",
	     "until 2026-11-21 00:00:00 UTC\n", "2026-11-20 08:09:00", "not known");
	says(&r, "register assets --at 2026-11-20T08:10:11+00:00 --to json", 0, "\"as_it_was\":{\"since\"",
	     "\"last_seen\":\"2026-11-20T08:09:00.000Z\"", "\"last_seen\":null");
	/* Heard before and after that time: the last time before it is not known. */
	box_says(MSG_DEVICES, 0, HEARD("2026-11-01T00:00:00.000Z", "2026-11-20T08:11:00.000Z"));
	says(&r, "register assets --at 2026-11-20T08:10:11+00:00 --to csv --lang ja", 0, "\"2020-03-31\",\"不明\"",
	     "!08:11:00");
	/* Heard only after that time: nothing is known. */
	box_says(MSG_DEVICES, 0, HEARD("2026-11-20T08:10:30.000Z", "2026-11-20T08:11:00.000Z"));
	says(&r, "register assets --at 2026-11-20T08:10:11+00:00 --to csv", 0, "\"2020-03-31\",\"not known\"");
	says(&r, "register flows-ot --at 2026-11-20T08:10:11+00:00 --to svg", 0, "as it was then");
	assert_int_equal(box.last.effective.at, 1795162211);
	box_says(MSG_EFFECTIVE, 2, "{\"error\":{\"en\":\"not known\",\"ja\":\"不明\"}}");
	says(&r, "register flows --at 2020-01-01", 2, "!reads");
	box_close();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_help),
		cmocka_unit_test(test_usage),
		cmocka_unit_test(test_no_box),
		cmocka_unit_test(test_off_line),
		cmocka_unit_test(names_steer_no_terminal),
		cmocka_unit_test(test_documents),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_one_screen),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_status_faults),
		cmocka_unit_test(test_apply),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_events_of_nothing),
		cmocka_unit_test(test_effective_without),
		cmocka_unit_test(test_effective),
		cmocka_unit_test(test_effective_any_function),
		cmocka_unit_test(test_registers),
		cmocka_unit_test(test_registers_of_then),
		cmocka_unit_test(test_other_answers),
		cmocka_unit_test(test_refused_doors),
		cmocka_unit_test(test_refused_records),
		cmocka_unit_test(test_check_beside_a_box),
	};
	char here[400];

	snprintf(here, sizeof(here), "%s", argc > 0 ? argv[0] : "");
	snprintf(program, sizeof(program), "%s/../sekisho", dirname(here));
	return cmocka_run_group_tests(tests, setup, teardown);
}
