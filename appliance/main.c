/* SPDX-License-Identifier: Apache-2.0 */
/* sekishod: the daemon, and with `--role` one of its roles. Only the supervisor starts roles. */
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "appliance/alone/alone.h"
#include "appliance/base/messages.h"
#include "appliance/base/version.h"
#include "appliance/role/roles.h"
#include "appliance/supervise/supervise.h"
#include "appliance/wire/settings.h"

/*
 * The caller may have closed standard descriptors. The next opened file (a lock, a file of records,
 * a kernel setting) would then get the number of standard error, and messages to people would be
 * written to it.
 */
static void hold_first_three(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd < STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

/* Sets the name in ps and top; the kernel keeps 15 characters. */
static void be_known_as(const char *role)
{
	char known[16];

	snprintf(known, sizeof(known), "sekisho-%.7s", role);
	prctl(PR_SET_NAME, known);
}

static int run_role(const char *name)
{
	static int (*const entries[ROLE_COUNT])(void) = {
		[ROLE_ENFORCE] = role_enforce, [ROLE_TAP] = role_tap,		[ROLE_JOURNAL] = role_journal,
		[ROLE_MGMT] = role_mgmt,       [ROLE_ACCOUNTS] = role_accounts, [ROLE_CONTROL] = role_control,
	};

	for (unsigned i = 0; i < ROLE_COUNT; i++) {
		if (entries[i] == NULL || strcmp(name, role_name((enum role)i)) != 0)
			continue;
		be_known_as(name);
		return entries[i]();
	}
	return 2;
}

/* Starts a gate or a worker. Its kind is an argument, because its memory depends on the kind. */
static int run_pair(const char *name, const char *kind)
{
	for (unsigned k = 0; k < LANE_KINDS; k++) {
		if (strcmp(kind, lane_kind_words[k]) != 0)
			continue;
		be_known_as(name);
		if (strcmp(name, role_name(ROLE_GATE)) == 0)
			return role_gate((enum lane_kind)k);
		if (strcmp(name, role_name(ROLE_DPI)) == 0)
			return role_dpi((enum lane_kind)k);
	}
	return 2;
}

static const struct option options[] = {
	{ "data-netns", required_argument, NULL, 'd' },
	{ "admin-netns", required_argument, NULL, 'a' },
	{ "state", required_argument, NULL, 's' },
	{ "run", required_argument, NULL, 'r' },
	{ "base", no_argument, NULL, 'b' },
	/* used by the command line: sekisho status, sekisho effective */
	{ "standing", required_argument, NULL, 'S' },
	{ "workers", required_argument, NULL, 'w' },
	{ "lang", required_argument, NULL, 'l' },
	{ "release", required_argument, NULL, 'R' },
	{ "release-all", no_argument, NULL, 'A' },
	{ "release-list", no_argument, NULL, 'L' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'v' },
	{ NULL, 0, NULL, 0 },
};

static int usage_problem(enum lang l, enum message m, ...)
{
	char text[320];
	va_list ap;

	va_start(ap, m);
	message_vtext(text, sizeof(text), l, m, ap);
	va_end(ap);
	message_print(stderr, l, M_DAEMON_SEE, text);
	return 2;
}

int main(int argc, char **argv)
{
	struct supervise_options o = {
		.data_netns = "sekisho-data",
		.admin_netns = "sekisho-admin",
		.state = "/var/lib/sekisho",
		.run = "/run/sekisho",
		.lang = lang_choose(NULL),
		.workers = 1,
	};
	const char *device = NULL;
	bool release = false, list = false;
	unsigned long workers;
	const char *standing = NULL;
	bool base = false;
	char *end;
	int c;

	hold_first_three();
	/* The caller may leave SIGCHLD ignored: then nobody would notice that a role ended. */
	signal(SIGCHLD, SIG_DFL);
	if (argc == 3 && strcmp(argv[1], "--role") == 0)
		return run_role(argv[2]);
	if (argc == 4 && strcmp(argv[1], "--role") == 0)
		return run_pair(argv[2], argv[3]);
	while ((c = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		switch (c) {
		case 'd':
			o.data_netns = optarg;
			break;
		case 'a':
			o.admin_netns = optarg;
			break;
		case 's':
			o.state = optarg;
			break;
		case 'r':
			o.run = optarg;
			break;
		case 'S':
			standing = optarg;
			break;
		case 'b':
			base = true;
			break;
		case 'l':
			o.lang = lang_choose(optarg);
			break;
		case 'w':
			workers = strtoul(optarg, &end, 10);
			if (*end != 0 || workers < 1 || workers > WORKER_MAX)
				return usage_problem(o.lang, M_DAEMON_WORKERS, optarg, WORKER_MAX);
			o.workers = (uint32_t)workers;
			break;
		case 'R':
		case 'A':
		case 'L':
			release = true;
			list = c == 'L';
			device = c == 'R' ? optarg : NULL;
			break;
		case 'h':
			message_print(stdout, o.lang, M_USAGE_DAEMON);
			return 0;
		case 'v':
			printf("sekishod %s\n", SEKISHO_VERSION);
			return 0;
		case ':':
			return usage_problem(o.lang, M_CLI_NO_VALUE, argv[optind - 1]);
		default:
			return usage_problem(o.lang, M_CLI_UNKNOWN_OPTION, argv[optind - 1]);
		}
	}
	if (optind != argc)
		return usage_problem(o.lang, M_CLI_EXTRA_OPERAND, argv[optind]);
	if (geteuid() != 0) {
		message_print(stderr, o.lang, M_NO_ROOT);
		return 3;
	}
	if (release)
		return release_alone(&o, device, list);
	if (standing != NULL)
		return supervise_standing(&o, standing);
	return base ? base_alone(&o) : supervise(&o);
}
