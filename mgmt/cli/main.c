/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>

#include "mgmt/cli/cli.h"

int main(int argc, char **argv)
{
	setvbuf(stderr, NULL, _IOLBF, 0); /* a line at a time: what runs beside us cannot get between its bytes */
	/* Ignored, as who executes this may leave it, how a child ended would be told to nobody. */
	signal(SIGCHLD, SIG_DFL);
	return cli_main(argc, argv);
}
