#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <variant>
#include <vector>

#include "io/outcome.h"
#include "store/sqlite.h"

namespace capstan {

// The rows that outlive the process. Owned by App.
//
// A transaction is a plain function that runs on the database's own thread and returns a value:
//
//   TaskRow row = co_await database.write([id](Transaction& tx) { return find_task(tx, id); });
//
// It can't suspend, so no transaction ever stays open across a suspension. It captures values
// only. Writes that wait at the same time are committed together, with one flush to the disk; each
// is still a transaction of its own: one that throws is undone alone. When write() returns, what
// it wrote survives the death of the process and of the machine.
//
// One connection does all writes and all checkpoints, because Debian's SQLite 3.40.1 has the
// WAL-reset bug; reads have a second connection, so that they don't wait for a flush.
class Database {
 public:
  // Opens or creates the file and brings its schema up to date. An empty path is a database in
  // memory, for tests. Throws invalid_argument when the file can't be used, is damaged, or was
  // written by a newer version. That no other server has it open is for the owner to see to.
  explicit Database(const std::filesystem::path& path);
  // Finishes what was handed in.
  ~Database();

  template <class Function>
  Async<std::invoke_result_t<Function, Transaction&>> write(Function function) {
    return run(writer_.get(), std::move(function));
  }

  // Sees everything that write() has returned from.
  template <class Function>
  Async<std::invoke_result_t<Function, Transaction&>> read(Function function) {
    return run(reader_ ? reader_.get() : writer_.get(), std::move(function));
  }

 private:
  // A piece of work for a database thread. `run` does it inside the transaction and must not
  // throw: it keeps its failure, and returns false to have its changes undone; it is called again
  // where a commit fails. `finish` is called once, after the commit, with the failure of that if
  // there was one.
  struct Job {
    std::function<bool(Transaction&)> run;
    std::function<void(const std::optional<Error>&)> finish;
  };

  using JobIterator = std::deque<Job>::iterator;

  // A connection and its thread.
  class Worker {
   public:
    Worker(std::unique_ptr<Sqlite> connection, bool writes);
    ~Worker();
    void add(Job job);

   private:
    void work();
    void do_batch(std::deque<Job> batch);
    // Does the jobs in one transaction; returns what failed it.
    std::optional<Error> commit(JobIterator begin, JobIterator end);

    std::unique_ptr<Sqlite> connection_;
    const bool writes_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Job> jobs_;
    bool stopping_ = false;
    std::thread thread_;
  };

  template <class Function>
  static Async<std::invoke_result_t<Function, Transaction&>> run(Worker* worker, Function function);

  std::unique_ptr<Worker> writer_;
  std::unique_ptr<Worker> reader_;
};

template <class Function>
Async<std::invoke_result_t<Function, Transaction&>> Database::run(Worker* worker,
                                                                  Function function) {
  using Result = Outcome<std::invoke_result_t<Function, Transaction&>>;
  Result result = co_await asio::async_initiate<decltype(asio::use_awaitable), void(Result)>(
      [worker](auto handler, Function work) {
        // Stands if the work never gets its turn, because the transaction can't be begun.
        auto outcome =
            std::make_shared<Result>(Error(ErrorCode::unavailable, "the server's database failed"));
        auto loop = asio::make_work_guard(asio::get_associated_executor(handler));
        auto shared_handler = std::make_shared<decltype(handler)>(std::move(handler));
        worker->add({
            .run =
                [outcome, work = std::move(work)](Transaction& tx) {
                  *outcome = outcome_of_call([&] { return work(tx); });
                  return outcome->ok();
                },
            .finish =
                [outcome, loop, shared_handler](const std::optional<Error>& failure) {
                  if (failure && outcome->ok()) {
                    *outcome = Result(*failure);
                  }
                  asio::post(loop.get_executor(), [outcome, loop, shared_handler] {
                    std::move (*shared_handler)(std::move(*outcome));
                  });
                },
        });
      },
      asio::use_awaitable, std::move(function));
  co_return std::move(result).take();
}

}  // namespace capstan
