#include "store/database.h"

#include "store/migrate.h"

namespace capstan {
namespace {

// Bounds the time that one commit's waiters wait for each other.
constexpr std::size_t batch_max = 256;

}  // namespace

Database::Database(const std::filesystem::path& path) {
  auto connection = std::make_unique<Sqlite>(path, Sqlite::Mode::read_write);
  migrate(*connection);
  if (!path.empty()) {
    reader_ = std::make_unique<Worker>(std::make_unique<Sqlite>(path, Sqlite::Mode::read_only),
                                       /*writes=*/false);
  }
  writer_ = std::make_unique<Worker>(std::move(connection), /*writes=*/true);
}

Database::~Database() {
  reader_.reset();  // before the writer, whose last checkpoint wants the file to itself
  writer_.reset();
}

Database::Worker::Worker(std::unique_ptr<Sqlite> connection, bool writes)
    : connection_(std::move(connection)), writes_(writes), thread_([this] { work(); }) {}

Database::Worker::~Worker() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Database::Worker::add(Job job) {
  {
    std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  changed_.notify_one();
}

void Database::Worker::work() {
  while (true) {
    std::deque<Job> batch;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      if (jobs_.empty()) {
        return;
      }
      while (!jobs_.empty() && batch.size() < batch_max) {
        batch.push_back(std::move(jobs_.front()));
        jobs_.pop_front();
      }
    }
    do_batch(std::move(batch));
  }
}

void Database::Worker::do_batch(std::deque<Job> batch) {
  auto failure = commit(batch.begin(), batch.end());
  for (auto job = batch.begin(); job != batch.end(); ++job) {
    // What fails a batch, such as a full disk, is often one job's doing: then each has its own try.
    job->finish(failure && batch.size() > 1 ? commit(job, std::next(job)) : failure);
  }
}

std::optional<Error> Database::Worker::commit(JobIterator begin, JobIterator end) {
  auto outcome = outcome_of_call([&] {
    connection_->run_script(writes_ ? "begin immediate" : "begin");
    for (auto job = begin; job != end; ++job) {
      connection_->run_script("savepoint job");
      bool keep = job->run(*connection_);
      connection_->run_script(keep ? "release job" : "rollback to job; release job");
    }
    connection_->run_script("commit");
  });
  if (outcome.ok()) {
    return std::nullopt;
  }
  // A failed begin leaves nothing to roll back; then this does nothing.
  [[maybe_unused]] auto rolled_back = outcome_of_call([&] { connection_->run_script("rollback"); });
  return outcome.error();
}

}  // namespace capstan
