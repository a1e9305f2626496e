/*
 * The floor for a durable commit: write 4 KiB to a new file, fsync it, link it to its name, fsync the directory.
 * Usage: c-loop DIR COUNT; prints commits per second. Leaves its files in DIR.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void must(int ok, const char *what) {
  if (!ok) {
    perror(what);
    exit(1);
  }
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: c-loop DIR COUNT\n");
    return 2;
  }
  int count = atoi(argv[2]);
  char block[4096];
  memset(block, 'x', sizeof block);
  must(chdir(argv[1]) == 0, "chdir");
  int dir = open(".", O_RDONLY | O_DIRECTORY);
  must(dir >= 0, "open directory");
  struct timespec a, b;
  clock_gettime(CLOCK_MONOTONIC, &a);
  for (int i = 0; i < count; i++) {
    char temporary[64], name[64];
    snprintf(temporary, sizeof temporary, ".%010d.tmp", i);
    snprintf(name, sizeof name, "%010d.json", i);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL, 0640);
    must(fd >= 0, "open");
    must(write(fd, block, sizeof block) == (ssize_t)sizeof block, "write");
    must(fsync(fd) == 0, "fsync");
    must(close(fd) == 0, "close");
    must(link(temporary, name) == 0, "link");
    must(fsync(dir) == 0, "fsync directory");
    must(unlink(temporary) == 0, "unlink");
  }
  clock_gettime(CLOCK_MONOTONIC, &b);
  double seconds = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
  printf("%.1f\n", count / seconds);
  return 0;
}
