/*
 * run.c: the test program: all test_*.c, or those with names given.
 */
#include "harness.h"

int
main(int argc, char **argv)
{
	return mp_test_run(argc, argv);
}
