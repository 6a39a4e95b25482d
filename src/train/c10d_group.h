// Process groups of c10d under torchrun's environment.
#pragma once

#include <memory>
#include <string>

#include "train/process_group.h"

namespace litenat::train {

/// What a launcher (torchrun, or a script that sets the same variables) tells each process.
struct RankEnvironment {
  int rank = 0;             // RANK
  int size = 1;             // WORLD_SIZE; 1 where it is not set
  int local_rank = 0;       // LOCAL_RANK: which of the host's GPUs is this process's
  int local_size = 1;       // LOCAL_WORLD_SIZE: processes of this host, which share its cores
  std::string master_host;  // MASTER_ADDR
  int master_port = 0;      // MASTER_PORT

  /// Throws Error where WORLD_SIZE is above 1 and another variable is missing, or one is no number in its range.
  static RankEnvironment read();
};

/// Meets the other processes at the master's port; waits for them at most `timeout_seconds` (to start: 30 minutes at
/// most), which must be longer than a validation, through which the others wait for rank 0. Sums run over Gloo;
/// tensors of a GPU pass through the host's memory. It listens on the interface GLOO_SOCKET_IFNAME, else where the
/// host's name points. A process that ends without leaving the group makes the others' next call throw Error at once,
/// one that hangs after the timeout; the messages differ. Throws Error where the build has no Gloo.
std::shared_ptr<ProcessGroup> make_process_group(const RankEnvironment& environment, double timeout_seconds);

}  // namespace litenat::train
